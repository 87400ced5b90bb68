# events tells of a kill for want of memory, also of the one that ends the container.
.process.args = ["sh", "/inside"]
| .linux.resources.memory = {limit: 33554432, swap: 33554432}
