// SPDX-License-Identifier: GPL-2.0-only
/*
 * What Linux 6.1 forgets of the mounts that virtiofs makes below its own, one for each share:
 *
 * Access control lists: a submount's superblock has what its parent's has, but SB_POSIXACL. Lists cannot be set, and the
 * mode's group bits, which are the list's mask, are taken for the group's own. The flag can also come with the context
 * that a superblock is made of.
 *
 * Files that are still being closed: a file that is closed while it is read ahead keeps its inode until the server has
 * answered to FUSE_RELEASE. Where the connection ends with a superblock, that is waited for; with a submount's it is not,
 * and an inode in use when its superblock goes is a BUG() of the kernel: killing a process as it began ended the machine.
 *
 * The guest kernel of our own has this file in it (guest/trimmed), the packaged one as a module (guest/modules).
 */
#include <linux/dcache.h>
#include <linux/delay.h>
#include <linux/fs.h>
#include <linux/fs_context.h>
#include <linux/module.h>
#include <linux/jiffies.h>

static int (*begin)(struct fs_context *context);
static void (*kill)(struct super_block *sb);

static int begin_with_lists(struct fs_context *context)
{
	int error = begin(context);

	if (!error && context->purpose == FS_CONTEXT_FOR_SUBMOUNT)
		context->sb_flags |= SB_POSIXACL;
	return error;
}

/* Something other than the cached names, and what is watched by inotify(7) or fanotify(7), refers to an inode. */
static bool is_in_use(struct inode *inode)
{
	struct dentry *name;
	int names = 0;
	bool used;

	spin_lock(&inode->i_lock);
	hlist_for_each_entry(name, &inode->i_dentry, d_u.d_alias)
		names++;
#ifdef CONFIG_FSNOTIFY
	if (inode->i_fsnotify_marks)
		names++;
#endif
	used = atomic_read(&inode->i_count) > names;
	spin_unlock(&inode->i_lock);
	return used;
}

static bool has_inode_in_use(struct super_block *sb)
{
	struct inode *inode;
	bool used = false;

	spin_lock(&sb->s_inode_list_lock);
	list_for_each_entry(inode, &sb->s_inodes, i_sb_list) {
		used = is_in_use(inode);
		if (used)
			break;
	}
	spin_unlock(&sb->s_inode_list_lock);
	return used;
}

/*
 * Nothing can be opened here any more, so that what is being closed only gets less. Who waits may be the agent, and what
 * refers to an inode may be something that only kill() lets go of: the wait has an end.
 */
static void kill_when_closed(struct super_block *sb)
{
	unsigned long end = jiffies + 10 * HZ;

	/* A mount that failed has no root, and nothing open. */
	while (sb->s_root && time_before(jiffies, end) && has_inode_in_use(sb))
		usleep_range(50, 500);
	kill(sb);
}

static int __init virtiofs_submounts_init(void)
{
	/* The reference stays: neither module is unloaded. */
	struct file_system_type *type = get_fs_type("virtiofs");

	if (!type)
		return -ENODEV;
	begin = type->init_fs_context;
	type->init_fs_context = begin_with_lists;
	kill = type->kill_sb;
	type->kill_sb = kill_when_closed;
	return 0;
}

module_init(virtiofs_submounts_init);
MODULE_DESCRIPTION("What Linux forgets of virtiofs's submounts");
MODULE_LICENSE("GPL");
