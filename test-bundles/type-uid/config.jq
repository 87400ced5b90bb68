# A text where a number belongs.
.process.user.uid = "0"
