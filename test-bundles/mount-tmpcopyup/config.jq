# tmpcopyup: a tmpfs that starts with what it covers; the original stays as it was.
.mounts += [{destination: "/full", type: "tmpfs", source: "tmpfs", options: ["tmpcopyup", "mode=755"]}]
