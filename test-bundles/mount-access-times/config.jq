# Access times are kept in one of three ways: what undoes one is the default again, and of several words the last one holds.
.mounts += [
    ["ratime", "rnoatime"], ["rnostrictatime", "rstrictatime"], ["rnorelatime"], ["rnoatime", "ratime"],
    ["rnoatime", "rrelatime"], ["rnoatime", "rstrictatime"], ["strictatime", "noatime"]
    | {destination: "/m-\(join("-"))", type: "bind", source: "programs", options: (["rbind"] + .)}
]
