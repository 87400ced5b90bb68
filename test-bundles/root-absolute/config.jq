# root.path may be absolute, and elsewhere than in the bundle.
.root.path = ($bundle | sub("/bundle$"; "/elsewhere/root")) | .process.args = ["cat", "/where"]
