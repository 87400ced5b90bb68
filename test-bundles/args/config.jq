# Arguments reach the program as written; the program is looked for in its own PATH.
.process.args = ["printf", "[%s]\\n", "two words", "", "'\"$x`", "é", "--", "-n"]
