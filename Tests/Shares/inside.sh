#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Prints what access control lists, extended attributes and flags do in the directory $1, the same on every file system.
# $2: what is not said of it.
cd "$1" || exit 1
exec 2>&1
umask 022
as() { uid=$1 gid=$2; shift 2; setpriv --reuid "$uid" --regid "$gid" --clear-groups --inh-caps=-all "$@" && echo "$uid:$gid may" || echo "$uid:$gid may not"; }
# Everything below the directory $1, in order.
below() { find "$1" ! -type l | sort | xargs getfacl -nc; }
lists() { getfacl -nc "$@"; stat -c '%a %u:%g %n' "$@"; }

echo "== an access list"
echo secret >a && chown 0:2000 a && chmod 600 a
setfacl -m u:1001:r,g::--- a && lists a
as 1001 1001 cat a
as 1002 2000 cat a
as 1001 1001 sh -c 'echo x >>a'
echo "== chmod sets the mask"
chmod 600 a && lists a
as 1001 1001 cat a
chmod 664 a && lists a
as 1001 1001 cat a
as 1002 2000 cat a
setfacl -m g:3000:rw a
as 1003 3000 sh -c 'echo more >>a'
as 1003 3001 sh -c 'echo more >>a'
setfacl -m m::r a && lists a
as 1003 3000 sh -c 'echo more >>a'
setfacl -x u:1001 a && lists a
setfacl -b a && lists a
echo "== the owner may, others may not"
chown 1001:1001 a
as 1001 1001 setfacl -m u:1002:rw a
as 1002 1002 setfacl -m u:1002:rwx a
lists a
echo "== default lists, and what the umask then is"
mkdir d && chmod 777 d && setfacl -d -m u:1001:rwx,g::r-x,o::- d && setfacl -m u:1001:rwx d && lists d
umask 077
echo x >d/file && mkdir d/folder && mkfifo d/fifo && ln -s file d/link && : >d/folder/below
umask 022
lists d/file d/folder d/fifo d/folder/below
as 1001 1001 sh -c 'umask 077; echo mine >d/mine; mkdir d/own; chmod 751 d/own'
lists d/mine d/own
mkdir plain && umask 027 && : >plain/file && mkdir plain/folder && umask 022 && stat -c '%a %n' plain/*
echo "== copies"
cp -a d copy && below copy
tar --acls -cf t.tar d && mkdir out && tar --acls -xpf t.tar -C out && below out
rsync -aA d synced && below synced
mv d/mine d/moved && ln d/moved d/second && getfacl -nc d/second
setfacl -k -R d && below d
echo "== set-group-ID"
mkdir g && chown 0:2000 g && chmod 2777 g && setfacl -d -m u:1001:rwx g
as 1001 1001 sh -c ': >g/f; mkdir g/d'
lists g/f g/d
: >sgid && chown 1001:2000 sgid && chmod 2755 sgid
as 1001 1001 setfacl -m u:1002:r sgid
lists sgid

echo "== extended attributes"
: >x && mkdir xd && ln -s x xl
for name in user.one trusted.two security.three trusted.overlay.opaque user.fc-runc.four; do setfattr -n $name -v "$name" x && setfattr -n $name -v y xd; done
getfattr -d -m - x xd
as 1001 1001 setfattr -n trusted.no -v no x
chmod 666 x
as 1001 1001 setfattr -n user.yes -v yes x
as 1001 1001 getfattr -d -m - x
as 1001 1001 getfattr -n trusted.two x
tar --xattrs --xattrs-include='*' -cf x.tar x xd && mkdir xo && tar --xattrs --xattrs-include='*' -xf x.tar -C xo && getfattr -d -m - xo/x xo/xd
rsync -aX x xd xs && getfattr -d -m - xs/x xs/xd
cp -a x xc && getfattr -d -m - xc
setfattr -x trusted.two x && setfattr -x security.three x && getfattr -d -m - x
setfattr -x trusted.two x
setfattr -h -n user.no -v no xl
echo "== capabilities"
cp /bin/busybox prog && ln -s prog grep
setcap cap_net_raw,cap_chown+ep prog && getcap -n prog
as 1001 1001 ./grep CapEff /proc/self/status
as 1001 1001 setcap cap_sys_admin+ep prog
tar --xattrs --xattrs-include='*' -cf c.tar prog && mkdir co && tar --xattrs --xattrs-include='*' -xpf c.tar -C co && getcap -n co/prog
cp prog written && setcap cap_chown+ep written && echo >>written && getcap -n written
cp prog given && setcap cap_chown+ep given && chown 1001 given && getcap -n given
setcap -r prog && getcap -n prog
echo "== flags"
: >f && mkdir fd
[ "${2:-}" = noflags ] || {
    chattr +d f && chattr +dA fd && lsattr -d f fd | cut -c 1-8
    : >fd/below && lsattr fd/below | cut -c 8
    chattr -d f && lsattr -d f | cut -c 1-8
    as 1001 1001 chattr +d f
}
cd / && rm -rf "$1"/*
