# root.path may be absolute, and elsewhere than in the bundle.
.root.path = ($bundle + "/../elsewhere/root") | .process.args = ["cat", "/where"]
