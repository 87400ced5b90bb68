# linux.resources.memory.limit: what uses more is killed, and only that.
.linux.resources.memory = {limit: 33554432, swap: 33554432}
