# sysfs with the options of the document, of the container's own network.
.
