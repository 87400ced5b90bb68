# Ten megabytes and a bit of output, and two of errors, all there when the runtime ends.
.
