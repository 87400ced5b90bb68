# `state` says what the runtime-spec asks for, from created to stopped, annotations too; `list` agrees.
.annotations = {"org.test.one": "1", "org.test.empty": "", "quote\"d": "new\nline"}
| .ociVersion = "1.0.2"
| .process.args = ["sh", "-c", "until test -e /go; do sleep 0.1; done"]
