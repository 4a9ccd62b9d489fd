// One thread's writer: segments, records, and what is left out once the budget binds.
//
// Nothing recorded waits in memory of the process: a record is complete in the shared region when
// its probe returns. A writer belongs to one thread and takes no lock.

using System;
using System.Collections.Generic;
using System.Threading;

static class Op {
	public const byte Step = 1, Var = 2, In = 3, Out = 4, Branch = 5, Loop = 6, Err = 7, Call = 9, Stdout = 10,
		Task = 11, Elide = 12, Depth = 13, Intern = 14, Limit = 15, Resume = 16;
}

struct LoopState {
	public int Site, Depth;
	public uint Visits, Left;
}

/// What a site said last while it was only counted: bits and what they are.
struct Last {
	public long Bits;
	public byte Code;
}

sealed unsafe partial class Writer {
	[ThreadStatic]
	static Writer current;

	/// Longest record that is written straight into the segment.
	public const int Small = 64;
	const int Scratch = 16 * 1024, SlotSize = 64, SlotRecord = 47, Loops = 48;
	const byte None = 0, MuteLoop = 1, MuteCall = 2, MuteAll = 3;
	public const byte LastNone = 0, LastArm = 1, LastInt = 2, LastDouble = 3, LastBool = 4;

	/// Next byte of the segment; below `Limit` a small record fits and may be written at once.
	public byte* At, Limit;
	byte* end;
	public uint Left;
	uint scarce;
	/// Calls on the stack.
	public int Depth;
	byte mute;
	int muteDepth, muteSite;
	/// A record is being written: a probe that comes meanwhile is not told.
	public bool Writing;
	readonly Last[] last;
	readonly byte[] seen;
	readonly List<int> visited = new List<int>();
	readonly LoopState[] loops = new LoopState[Loops];
	int loopCount;
	/// Entry sites of the calls on the stack, as far as they were told.
	int[] entries = new int[64];
	readonly Dictionary<string, int> names = new Dictionary<string, int>();
	uint stream, parent, origin, ordinal, parentSite;
	uint children;
	readonly byte[] buffer = new byte[Scratch];

	public static Writer Current {
		get { return current ?? Begin(); }
	}

	static Writer Begin() {
		Writer made = new Writer();
		current = made;
		return made;
	}

	Writer() {
		if (Channel.Base == null) {
			mute = MuteAll;
			last = new Last[0];
			seen = new byte[0];
			return;
		}
		last = new Last[Channel.SlotCount];
		seen = new byte[Channel.SlotCount];
		Left = Math.Max(Channel.Events, 1);
		Identify();
		if (origin != 0) {
			Channel.Threads = true;
			// Every stream has its own budget, so that one thread's does not hang on another's pace.
			Left = Left / 4 + 1;
		}
		scarce = Left / 4;
		if (!ClaimSegment())
			SilenceAll();
		Limit = OpenLimit();
	}

	void SilenceAll() {
		Left = 0;
		mute = MuteAll;
		At = end = null;
	}

	bool ClaimSegment() {
		byte* segment = Channel.Claim();
		if (segment == null)
			return false;
		*(uint*)(segment + 4) = stream;
		*(uint*)(segment + 8) = parent;
		*(uint*)(segment + 12) = origin;
		*(ulong*)(segment + 16) = *(ulong*)(Channel.Base + 8);
		*(uint*)(segment + 24) = parentSite;
		*(uint*)(segment + 28) = ordinal;
		Thread.MemoryBarrier();
		*(uint*)segment = 0x31474553;
		At = segment + 32;
		end = segment + Channel.SegmentSize;
		return true;
	}

	byte* OpenLimit() {
		return mute != None || Left == 0 || At == null ? null : end - Small;
	}

	bool Room(int size) {
		if (At != null && At + size <= end)
			return true;
		if (Channel.Base == null || At == null && Left == 0 || size > Channel.SegmentSize - 32 || !ClaimSegment())
			return false;
		return true;
	}

	public static byte* Varint(byte* to, ulong n) {
		while (n >= 0x80) {
			*to++ = (byte)(n | 0x80);
			n >>= 7;
		}
		*to++ = (byte)n;
		return to;
	}

	public static byte* Zigzag(byte* to, long n) {
		return Varint(to, ((ulong)n << 1) ^ (ulong)(n >> 63));
	}

	/// A small record is complete: its op is written last.
	public void Close(byte op, byte* to) {
		*At = op;
		At = to;
		if (--Left == 0 || Limit == null)
			Limit = OpenLimit();
	}

	// Muting

	byte* Slot(int site) {
		return Channel.Slots + (long)site * SlotSize;
	}

	void Count(int site) {
		long* visits = (long*)Slot(site);
		if (Channel.Threads)
			Interlocked.Increment(ref *visits);
		else
			(*visits)++;
	}

	long Visits(int site) {
		return *(long*)Slot(site);
	}

	void WriteDepth() {
		if (At == null || At + 16 > end)
			return;
		byte* to = Varint(At + 1, (ulong)Math.Max(Depth, 0));
		*At = Op.Depth;
		At = to;
	}

	void Mute(byte why, int site) {
		mute = why;
		muteDepth = Depth;
		muteSite = site;
		Limit = null;
	}

	/// Tells what was left out, and records again.
	void Unmute() {
		foreach (int site in visited) {
			seen[site] = 0;
			byte* slot = Slot(site);
			if (*(long*)slot == 0)
				continue;
			Remember(site);
			if (Left == 0 || !Room(Small + SlotRecord))
				continue;
			// Only the last visit's record may stand for it.
			int length = *(long*)(slot + 8) == *(long*)slot ? slot[16] : 0;
			byte* to = Varint(At + 1, (ulong)site);
			to = Varint(to, (ulong)*(long*)slot);
			to = Varint(to, (ulong)length);
			for (int i = 0; i < length; i++)
				*to++ = slot[17 + i];
			*At = Op.Elide;
			At = to;
			Left--;
			*(long*)slot = 0;
			*(long*)(slot + 8) = 0;
			slot[16] = 0;
		}
		visited.Clear();
		mute = None;
		if (Room(Small))
			WriteDepth();
		Limit = OpenLimit();
	}

	/// Writes what a site said last into its slot.
	void Remember(int site) {
		Last kept = last[site];
		if (kept.Code == LastNone)
			return;
		last[site].Code = LastNone;
		byte* slot = Slot(site), to = slot + 18;
		slot[16] = 0;
		slot[17] = kept.Code == LastArm ? Op.Branch : Op.Var;
		to = Varint(to, (ulong)site);
		switch (kept.Code) {
			case LastArm:
				to = Varint(to, (ulong)kept.Bits);
				*to++ = 0;
				break;
			case LastInt:
				*to++ = 1;
				*to++ = Kind.Int;
				to = Zigzag(to, kept.Bits);
				break;
			case LastDouble:
				*to++ = 1;
				*to++ = Kind.Double;
				*(long*)to = kept.Bits;
				to += 8;
				break;
			default:
				*to++ = 1;
				*to++ = kept.Bits != 0 ? Kind.True : Kind.False;
				break;
		}
		*(long*)(slot + 8) = *(long*)slot;
		slot[16] = (byte)(to - slot - 17);
	}

	/// A visit that is only counted, with a scalar worth keeping.
	public bool CountedScalar(int site, long bits, byte code) {
		if (!IsCounted(site))
			return false;
		Count(site);
		last[site].Bits = bits;
		last[site].Code = code;
		long visits = Visits(site);
		// A crash loses nothing that was recorded; of what is only counted, little.
		if ((visits & (visits - 1)) == 0)
			Remember(site);
		return true;
	}

	bool IsCounted(int site) {
		return mute != None && !Writing && (uint)site < (uint)seen.Length && seen[site] >= 2;
	}

	public bool Counted(int site) {
		if (!IsCounted(site))
			return false;
		Count(site);
		return true;
	}

	/// What a visit that is only counted would have to say is captured now and then.
	bool WorthCapturing(int site) {
		long visits = Visits(site);
		return (visits & (visits - 1)) == 0;
	}

	/// Where the fast way is closed: 0 not told, 1 a record, 2 only counted.
	public int Decide(int site) {
		if ((uint)site >= (uint)seen.Length || Writing)
			return 0;
		if (mute == None && Left == 0) {
			if (Room(Small)) {
				At[1] = 0;
				*At = Op.Limit;
				At += 2;
			}
			Mute(MuteAll, site);
		}
		if (mute != None) {
			if (seen[site] >= 2) {
				Count(site);
				return 2;
			}
			if (seen[site]++ == 0)
				visited.Add(site);
			if (!Room(Small)) {
				Count(site);
				return 2;
			}
			WriteDepth();
			return Room(Small) ? 1 : 0;
		}
		if (Room(Small)) {
			Limit = OpenLimit();
			return 1;
		}
		Mute(MuteAll, site);
		Count(site);
		return 2;
	}

	/// Whether a small record may be written now; opens it.
	public bool Open(int site) {
		return At < Limit || Decide(site) == 1;
	}

	// Calls and loops

	public void Enter(int site) {
		if (Depth == entries.Length && Depth < 1 << 20)
			Array.Resize(ref entries, Depth * 2);
		if ((uint)Depth < (uint)entries.Length)
			entries[Depth] = site;
		Depth++;
	}

	public void BeforeEntering(int site) {
		if ((uint)site >= (uint)seen.Length)
			return;
		if (Limit != null && Left < scarce && Channel.Entered[site] >= 2) {
			Mute(MuteCall, site);
			muteDepth = Depth + 1;
		}
		if (Channel.Entered[site] < 2)
			Channel.Entered[site]++;
	}

	public void BeforeLeaving() {
		while (loopCount > 0 && loops[loopCount - 1].Depth >= Depth)
			loopCount--;
		if (mute == MuteLoop && Depth <= muteDepth)
			Unmute();
	}

	public void LeftCall() {
		if (Depth > 0)
			Depth--;
		if (mute == MuteCall && Depth < muteDepth)
			Unmute();
	}

	int LoopAt(int site) {
		for (int i = loopCount - 1; i >= 0; i--) {
			if (loops[i].Depth < Depth)
				break;
			if (loops[i].Depth == Depth && loops[i].Site == site) {
				loopCount = i + 1;
				return i;
			}
		}
		return -1;
	}

	public void EnterLoop(int site) {
		if (mute != None)
			return;
		int at = LoopAt(site);
		if (at < 0) {
			if (loopCount == Loops)
				return;
			at = loopCount++;
		}
		loops[at] = new LoopState { Site = site, Depth = Depth, Left = Left };
	}

	public void IterateLoop(int site) {
		if (mute != None)
			return;
		int at = LoopAt(site);
		if (at < 0 || ++loops[at].Visits <= 2)
			return;
		uint spent = loops[at].Left - Left, share = loops[at].Left / 4;
		if (spent > Math.Max(share, 64))
			Mute(MuteLoop, site);
	}

	public void LeaveLoop(int site) {
		if (mute != None) {
			if (mute != MuteLoop || muteSite != site || Depth != muteDepth)
				return;
			Unmute();
		}
		if (LoopAt(site) >= 0)
			loopCount--;
	}

	/// Back in a call of that depth: what lay above it is gone.
	public void Return(int depth) {
		if (Depth == depth)
			return;
		Writing = false;
		while (Depth > depth) {
			int entry = (uint)(Depth - 1) < (uint)entries.Length ? entries[Depth - 1] : 0;
			BeforeLeaving();
			if (entry != 0 && Open(entry)) {
				byte* to = Varint(At + 1, (ulong)entry);
				*to++ = 2;
				Close(Op.Out, to);
			}
			LeftCall();
		}
		Depth = depth;
	}

	// Returns that wait for what runs between them and the end of their call

	struct Promised {
		public int Site, Depth;
		public bool HasValue;
		public object Value;
	}

	readonly Stack<Promised> promised = new Stack<Promised>();

	public void Promise(int site, bool hasValue, object value) {
		while (promised.Count > 0 && promised.Peek().Depth >= Depth)
			promised.Pop();
		promised.Push(new Promised { Site = site, Depth = Depth, HasValue = hasValue, Value = value });
	}

	/// Tells what the call of this depth gives; false if it gives nothing, since an error ends it.
	public bool Keep(int depth) {
		while (promised.Count > 0 && promised.Peek().Depth > depth)
			promised.Pop();
		if (promised.Count == 0 || promised.Peek().Depth != depth)
			return false;
		Promised end = promised.Pop();
		if (end.HasValue)
			_tr.O<object>(end.Site, end.Value);
		else
			_tr.O(end.Site);
		return true;
	}
}
