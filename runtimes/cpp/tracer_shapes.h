/* Values that only C++ has: strings and containers by their parts, and names of types as the
 * compiler spells them. Part of tracer_emit_cpp.c. */

enum { V_BYTES = 0x07, V_MAP = 0x12, V_SET = 0x13 };
enum { NAME = 160 };

/* Objects behind a plain pointer may be gone or not begun: only what can be checked is shown. */
static __thread u32 beyond;

static const char *begins_with(const char *text, const char *with)
{
	while (*with)
		if (*text++ != *with++)
			return NULL;
	return text;
}

/* What the compiler says of an instantiation, `… [with _tr_T = std::vector<int>]`, as people write
 * the type. */
static u32 clean_name(const char *pretty, char *to)
{
	static const char *const dropped[] = {"__cxx11::", "__debug::", "__1::", "_V2::"};
	/* What a type is given where nothing else is said. */
	static const char *const usual[] = {", std::allocator<", ", std::less<", ", std::hash<",
	                                    ", std::equal_to<", ", std::default_delete<"};
	static const char *const said[][2] = {
		{"basic_string<char>", "string"},
		{"basic_string<char, std::char_traits<char>, std::allocator<char> >", "string"},
		{"basic_string<char, std::char_traits<char>, std::allocator<char>>", "string"},
		{"basic_string_view<char, std::char_traits<char> >", "string_view"},
		{"basic_string_view<char, std::char_traits<char>>", "string_view"},
		{"basic_string_view<char>", "string_view"},
		{"basic_ostream<char>", "ostream"},
		{"basic_istream<char>", "istream"},
	};
	const char *at = pretty;
	while (*at && !begins_with(at, "_tr_T = "))
		at++;
	at = *at ? at + 8 : pretty;
	u32 length = 0, nested = 0;
	while (*at && length < NAME) {
		const char *next = NULL;
		for (u32 i = 0; i < sizeof dropped / sizeof *dropped && !next; i++)
			next = begins_with(at, dropped[i]);
		if (next) {
			at = next;
			continue;
		}
		for (u32 i = 0; i < sizeof said / sizeof *said && !next; i++)
			if ((next = begins_with(at, said[i][0])))
				for (const char *from = said[i][1]; *from && length < NAME;)
					to[length++] = *from++;
		if (next) {
			at = next;
			continue;
		}
		for (u32 i = 0; i < sizeof usual / sizeof *usual && !next; i++)
			next = begins_with(at, usual[i]);
		if (next) {
			for (u32 open = 1; *next && open; next++)
				open += (*next == '<') - (*next == '>');
			at = next;
			continue;
		}
		/* `int *const` is `int* const` to the other compiler. */
		if (*at == ' ' && (at[1] == '*' || at[1] == '&')) {
			at++;
			continue;
		}
		if (length && to[length - 1] == '*' && *at == 'c')
			to[length++] = ' ';
		/* `int[6]` is `int [6]`. */
		if (!nested && *at == '[' && (at[1] == ']' || (at[1] >= '0' && at[1] <= '9')) && length &&
		    to[length - 1] != ' ' && to[length - 1] != ']')
			to[length++] = ' ';
		nested += *at == '[' || *at == '(' || *at == '{';
		/* `> >` closes two lists. */
		if (*at == ' ' && at[1] == '>') {
			at++;
			continue;
		}
		if (!nested && (*at == ']' || *at == ';'))
			break;
		nested -= *at == ']' || *at == ')' || *at == '}';
		to[length++] = *at++;
	}
	to[length] = 0;
	return length;
}

static OUTLINE u32 intern_pretty(const char *pretty)
{
	char name[NAME + 8];
	u32 at = name_number(pretty);
	if (at < NAMES && writer.interned[at / 64] >> (at % 64) & 1)
		return at + 1;
	clean_name(pretty, name);
	return intern_at(at, name);
}

/* A record with one value is about to be written, if this says so; _tr_z ends it. */
_tr_i _tr_vo(_tr_u site)
{
	beyond = 0;
	if (open_record(site, VAR)) {
		put_byte(1);
		return 1;
	}
	_tr_z();
	return 0;
}

/* Whether values are wanted at all: the record may have been given up. */
static int wanted(void)
{
	return writer.to && LIKELY(!writer.nested);
}

void _tr_xo(const char *pretty)
{
	if (!wanted())
		return;
	u32 number = intern_pretty(pretty);
	put_byte(V_OPAQUE);
	put_number(number);
	put_byte(0);
	put_byte(0);
}

void _tr_xskip(void)
{
	if (wanted())
		put_opaque(NULL, "");
}

void _tr_xnull(const char *pretty)
{
	if (!wanted())
		return;
	u32 number = intern_pretty(pretty);
	put_byte(V_TYPED);
	put_number(number);
	put_byte(V_NULL);
}

/* A member of an enumeration, or a number of its type. */
void _tr_xe(const char *pretty, const struct _tr_member *members, _tr_u count, _tr_ll value)
{
	if (!wanted())
		return;
	u32 number = intern_pretty(pretty);
	for (u32 i = 0; i < count; i++)
		if (members[i].value == value) {
			u32 member = intern(members[i].name);
			put_byte(V_ENUM);
			put_number(number);
			put_number(member);
			put_int(value);
			return;
		}
	put_byte(V_TYPED);
	put_number(number);
	put_int(value);
}

/* A code point: wchar_t and its like. */
void _tr_xc(_tr_u unused, _tr_u code)
{
	(void)unused;
	if (!wanted())
		return;
	put_byte(V_CHARACTER);
	put_number(code < 0x110000 && (code < 0xd800 || code > 0xdfff) ? code : 0xfffd);
}

static u32 utf8(const u8 *at, size_t left)
{
	u8 c = at[0];
	u32 size = c < 0x80 ? 1 : c >= 0xf0 ? 4 : c >= 0xe0 ? 3 : 2;
	if (c >= 0x80 && (c < 0xc2 || c > 0xf4))
		return 0;
	if (size > left)
		return 0;
	for (u32 i = 1; i < size; i++)
		if ((at[i] & 0xc0) != 0x80)
			return 0;
	return size;
}

/* Text of a known length; bytes if it is not UTF-8. */
void _tr_xs(const char *text, _tr_ul size, const char *pretty)
{
	if (!wanted())
		return;
	const u8 *at = (const u8 *)text;
	u32 scanned = size < STRING_SCAN ? (u32)size : STRING_SCAN;
	if (scanned && !all_readable(at, scanned)) {
		_tr_xo(pretty);
		return;
	}
	u32 characters = 0, shown = 0, is_text = 1;
	u64 digest = 0xcbf29ce484222325u;
	for (u32 i = 0; i < scanned && is_text;) {
		u32 step = utf8(at + i, scanned - i);
		if (!step && scanned < size && scanned - i < 4)
			break;
		is_text = step != 0;
		if (characters++ < channel.characters && i + step <= channel.value_bytes)
			shown = i + step;
		i += step;
	}
	if (!is_text) {
		shown = scanned < channel.characters ? scanned : channel.characters;
		shown = shown < channel.value_bytes ? shown : channel.value_bytes;
		characters = (u32)size;
	}
	u32 cut = shown < size;
	for (u32 i = 0; cut && i < scanned; i++)
		digest = (digest ^ at[i]) * 0x100000001b3u;
	u32 number = intern_pretty(pretty);
	put_byte(V_TYPED);
	put_number(number);
	put_byte(is_text ? V_STRING : V_BYTES);
	put_number(scanned < size ? size : characters);
	put_number(shown * 2 | cut);
	put_bytes(at, shown);
	if (cut)
		put_bytes(&digest, 8);
}

/* A container is begun. Says how many of its elements follow; _tr_xz ends them. */
_tr_u _tr_xq(_tr_u kind, const char *pretty, _tr_ul length, _tr_u unordered)
{
	u64 digest = 0;
	u32 shown = length < channel.elements ? (u32)length : channel.elements;
	if (writer.level >= channel.depth)
		shown = 0;
	writer.level++;
	if (!wanted())
		return 0;
	u32 cut = shown < length, number = intern_pretty(pretty);
	put_byte((u8)kind);
	put_number(number);
	put_byte(0);
	put_number(length);
	put_byte((u8)(cut | (unordered ? 2 : 0)));
	if (cut)
		put_bytes(&digest, 8);
	put_number(shown);
	return writer.to ? shown : 0;
}

void _tr_xz(void)
{
	writer.level--;
}

/* Bytes of the record so far, and whether too many were added since. */
_tr_u _tr_xat(void)
{
	return writer.to ? (u32)(writer.to - writer.start) : 0;
}

_tr_i _tr_xlong(_tr_u since)
{
	return !writer.to || (u32)(writer.to - writer.start) - since > channel.value_bytes;
}

/* Whether memory can be looked at: anywhere, and where it is not known to be an object's. */
_tr_i _tr_xok(_tr_ptr at, _tr_ul size)
{
	return !size || all_readable((const void *)at, size);
}

_tr_i _tr_xbeyond(void)
{
	return beyond != 0;
}

/* A record is begun; the number of its fields is filled in at the end. */
_tr_u _tr_xr(const char *pretty)
{
	writer.level++;
	if (!wanted())
		return 0;
	u32 number = intern_pretty(pretty);
	put_byte(V_RECORD);
	put_number(number);
	u32 at = _tr_xat();
	put_bytes("\0\0\0\0", 4);
	return writer.to ? at : 0;
}

/* A field of it follows, if this says so. */
_tr_i _tr_xf(_tr_u record, const char *name)
{
	if (!record || !wanted())
		return 0;
	u8 *counts = writer.start + record;
	if (counts[1] < 127)
		counts[1]++;
	if (counts[3] >= channel.elements || counts[3] >= 127 || writer.level > channel.depth) {
		counts[2] = 1;
		return 0;
	}
	/* Naming it may move the record. */
	u8 shown = counts[3];
	u32 number = intern(name);
	put_number(number);
	if (!writer.to)
		return 0;
	writer.start[record + 3] = (u8)(shown + 1);
	return 1;
}

void _tr_xrz(_tr_u record)
{
	writer.level--;
	if (!record || !wanted() || !writer.start[record + 2])
		return;
	/* Fewer shown than there are: the digest stands behind the flags. */
	if (!need(8))
		return;
	u8 *at = writer.start + record + 3;
	for (u8 *from = writer.to; from-- > at;)
		from[8] = *from;
	for (u32 i = 0; i < 8; i++)
		at[i] = 0;
	writer.to += 8;
}

/* A pointer; what it points at follows if this says so, and then _tr_xpz. */
_tr_i _tr_xp(const char *pretty, _tr_ptr pointer, _tr_ul size, _tr_i scalar, _tr_i owned)
{
	if (!wanted())
		return 0;
	u32 number = intern_pretty(pretty);
	int certain = owned || !scalar || (scalar == 1 && writer.op == IN);
	int value = size && pointer && writer.level < channel.depth && certain &&
	            all_readable((const void *)pointer, size);
	put_byte(V_POINTER);
	put_number(number);
	put_number((uintptr_t)pointer);
	put_byte((u8)value);
	if (!value || !writer.to)
		return 0;
	for (u32 i = 0; i < writer.path_length; i++)
		if (path[i] == (const void *)pointer) {
			put_byte(V_REFERENCE);
			put_number((uintptr_t)pointer);
			return 0;
		}
	if (writer.path_length < PATH)
		path[writer.path_length] = (const void *)pointer;
	writer.path_length++;
	beyond += !owned;
	return 1;
}

void _tr_xpz(_tr_i owned)
{
	writer.path_length--;
	beyond -= !owned;
}

/* Containers of nodes. An object may be looked at before it is made, through a reference that its
 * own constructor gave away: its nodes are walked here, checked one by one, before the library's
 * iterators walk them. */

struct tree_node {
	long colour;
	const struct tree_node *parent, *left, *right;
};

static int has_node(const struct tree_node *node)
{
	return node && all_readable(node, sizeof *node);
}

/* libstdc++'s red-black tree by the node in its head, from the leftmost on. */
_tr_i _tr_xtree(_tr_ptr head_, _tr_ul length, _tr_ul size)
{
	const struct tree_node *head = (const struct tree_node *)head_, *node = head->left;
	if (!length)
		return node == head;
	if (!has_node(head->parent) || head->parent->parent != head)
		return 0;
	for (_tr_ul i = 0; i < length && i < channel.elements; i++) {
		if (!has_node(node) || !all_readable(node, sizeof *node + size))
			return 0;
		u32 steps = 0;
		if (node->right) {
			node = node->right;
			while (has_node(node) && node->left && steps++ < 64)
				node = node->left;
		} else {
			const struct tree_node *above = node->parent;
			while (has_node(above) && node == above->right && steps++ < 64) {
				node = above;
				above = above->parent;
			}
			if (!has_node(above))
				return 0;
			if (node->right != above)
				node = above;
		}
		if (steps >= 64)
			return 0;
	}
	return 1;
}

/* A chain of nodes whose first field is the next; an open one ends in null. */
_tr_i _tr_xchain(_tr_ptr first, _tr_ul length, _tr_ul size, _tr_i open)
{
	const void *const *node = (const void *const *)first;
	for (_tr_ul i = 0; i < length && (open || i < channel.elements); i++) {
		if (!node && open)
			return 1;
		if (!node || !all_readable(node, sizeof *node + size))
			return 0;
		node = *node;
	}
	return 1;
}

/* Blocks of elements behind a table of pointers. */
_tr_i _tr_xblocks(_tr_ptr table, _tr_ul count, _tr_ul size)
{
	if (!all_readable((const void *)table, count * sizeof(void *)))
		return 0;
	for (_tr_ul i = 0; i < count; i++)
		if (!all_readable(((const void *const *)table)[i], size))
			return 0;
	return 1;
}
