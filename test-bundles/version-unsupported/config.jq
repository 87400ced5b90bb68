# A version of the runtime-spec of another time.
.ociVersion = "2.0.0"
