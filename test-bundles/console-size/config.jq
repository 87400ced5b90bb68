# consoleSize is the size of a terminal that is sent to --console-socket.
.process.terminal = true | .process.consoleSize = {height: 40, width: 120}
