# A kernel parameter that no namespace confines.
.linux.sysctl = {"vm.swappiness": "1"}
