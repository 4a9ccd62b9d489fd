// Records of any length, built in private memory and then laid into the segment in one go.

using System;
using System.Text;

static class Kind {
	public const byte Null = 0, False = 1, True = 2, Int = 3, Big = 4, Double = 5, String = 6, Bytes = 7, Function = 8,
		Unbound = 9, Float = 0x0b, Uint = 0x0c, Character = 0x0d, Typed = 0x10, Sequence = 0x11, Map = 0x12, Set = 0x13,
		Record = 0x14, Reference = 0x15, Opaque = 0x16, Enum = 0x17, Pointer = 0x18;
}

sealed unsafe partial class Writer {
	int length, valueStart;
	bool counted;
	byte op;
	int site;

	/// Begins a record; false if this visit is not told, or only counted.
	public bool BeginRecord(byte what, int at) {
		if (At < Limit) {
			counted = false;
		} else if (IsCounted(at)) {
			Count(at);
			if (!WorthCapturing(at))
				return false;
			counted = true;
		} else {
			int decided = Decide(at);
			if (decided == 0)
				return false;
			counted = decided == 2;
		}
		Writing = true;
		Limit = null;
		op = what;
		site = at;
		length = 0;
		Number((ulong)at);
		return true;
	}

	public void EndRecord() {
		if (counted) {
			if (length < SlotRecord) {
				byte* slot = Slot(site);
				last[site].Code = LastNone;
				slot[16] = 0;
				slot[17] = op;
				for (int i = 0; i < length; i++)
					slot[18 + i] = buffer[i];
				*(long*)(slot + 8) = *(long*)slot;
				slot[16] = (byte)(length + 1);
			}
		} else if (Room(length + 2)) {
			byte* to = At + 1;
			for (int i = 0; i < length; i++)
				to[i] = buffer[i];
			*At = op;
			At = to + length;
			if (Left > 0)
				Left--;
		}
		Writing = false;
		Limit = OpenLimit();
	}

	public void Byte(byte value) {
		if (length < buffer.Length)
			buffer[length++] = value;
	}

	public void Number(ulong n) {
		if (length + 10 > buffer.Length)
			return;
		while (n >= 0x80) {
			buffer[length++] = (byte)(n | 0x80);
			n >>= 7;
		}
		buffer[length++] = (byte)n;
	}

	public void Signed(long n) {
		Number(((ulong)n << 1) ^ (ulong)(n >> 63));
	}

	public void Raw(ulong bits, int size) {
		for (int i = 0; i < size; i++)
			Byte((byte)(bits >> (8 * i)));
	}

	/// Whether a value has used up its room.
	public bool Full {
		get { return length - valueStart > Channel.ValueBytes || length > buffer.Length - 2048; }
	}

	/// A name's number in this stream, which is told where it is new.
	public void Name(string name) {
		int number;
		if (!names.TryGetValue(name, out number)) {
			byte[] bytes = Encoding.UTF8.GetBytes(name.Length > 200 ? name.Substring(0, 200) : name);
			if (Room(bytes.Length + 24)) {
				number = names.Count + 1;
				byte* to = Varint(At + 1, (ulong)number);
				to = Varint(to, (ulong)bytes.Length);
				foreach (byte one in bytes)
					*to++ = one;
				*At = Op.Intern;
				At = to;
				names[name] = number;
			}
		}
		Number((ulong)number);
	}

	/// Text, cut where it is long.
	public void Text(string text, byte kind) {
		Byte(kind);
		int shown = Math.Min(text.Length, Math.Min(Channel.Characters, Math.Max(Channel.ValueBytes - (length - valueStart), 8)));
		if (shown > 0 && shown < text.Length && char.IsHighSurrogate(text[shown - 1]))
			shown--;
		int points = 0;
		for (int i = 0; i < text.Length; i++)
			if (!(char.IsLowSurrogate(text[i]) && i > 0 && char.IsHighSurrogate(text[i - 1])))
				points++;
		Number((ulong)points);
		byte[] bytes = Encoding.UTF8.GetBytes(shown == text.Length ? text : text.Substring(0, shown));
		bool cut = shown < text.Length;
		Number((ulong)bytes.Length * 2 + (cut ? 1u : 0u));
		foreach (byte one in bytes)
			Byte(one);
		if (cut)
			Raw(Digest(text), 8);
	}

	static ulong Digest(string text) {
		ulong hash = 0xcbf29ce484222325;
		int many = Math.Min(text.Length, 4096);
		for (int i = 0; i < many; i++) {
			hash = (hash ^ (byte)text[i]) * 0x100000001b3;
			hash = (hash ^ (byte)(text[i] >> 8)) * 0x100000001b3;
		}
		return (hash ^ (ulong)text.Length) * 0x100000001b3;
	}

	/// Text of an object that has no other description.
	public void Opaque(string type, object identity, string text) {
		Byte(Kind.Opaque);
		Name(type);
		Number(Heap(identity));
		byte[] bytes = Encoding.UTF8.GetBytes(text.Length > Channel.Characters ? text.Substring(0, Channel.Characters) : text);
		Number((ulong)bytes.Length);
		foreach (byte one in bytes)
			Byte(one);
	}

	static ulong Heap(object identity) {
		return identity == null ? 0 : (ulong)(uint)System.Runtime.CompilerServices.RuntimeHelpers.GetHashCode(identity);
	}
}
