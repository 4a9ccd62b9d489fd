// The region that events go to: found once in a process, mapped, shared by its threads.
//
// The byte format is tracer-stream's FORMAT.md.

using System;
using System.Runtime.InteropServices;
using System.Threading;

static unsafe class Channel {
	public static readonly byte* Base;
	public static readonly byte* Slots;
	static readonly byte* segments;
	public static readonly uint SlotCount, SegmentCount, SegmentSize, Events;
	public static readonly int Depth, Detail, Elements, Characters, ValueBytes;
	/// Visits of each function's entry, up to 3.
	public static readonly byte[] Entered;
	public static readonly int MainThread;
	/// Whether another thread than the first has recorded anything.
	public static bool Threads;

	const int ReadWrite = 3, Shared = 1;

	[DllImport("libc", SetLastError = false)]
	static extern IntPtr mmap(IntPtr address, UIntPtr length, int protection, int flags, int descriptor, IntPtr offset);

	[DllImport("libc", SetLastError = false)]
	static extern IntPtr pread(int descriptor, byte* to, UIntPtr length, IntPtr offset);

	[DllImport("libc", SetLastError = false)]
	static extern int close(int descriptor);

	static Channel() {
		Entered = new byte[0];
		MainThread = Thread.CurrentThread.ManagedThreadId;
		string number = Environment.GetEnvironmentVariable("TRACER_CHANNEL");
		if (number == null)
			return;
		Environment.SetEnvironmentVariable("TRACER_CHANNEL", null);
		int descriptor = 0;
		foreach (char digit in number)
			descriptor = descriptor * 10 + (digit - '0');
		byte* head = stackalloc byte[72];
		if ((long)pread(descriptor, head, (UIntPtr)72, IntPtr.Zero) != 72 || *(uint*)head != 0x53435254)
			return;
		uint slots = *(uint*)(head + 28), count = *(uint*)(head + 36);
		uint first = *(uint*)(head + 40), size = *(uint*)(head + 44);
		IntPtr at = mmap(IntPtr.Zero, (UIntPtr)(first + (ulong)count * size), ReadWrite, Shared, descriptor, IntPtr.Zero);
		close(descriptor);
		if ((long)at == -1)
			return;
		byte* start = (byte*)at;
		Slots = start + *(uint*)(head + 24);
		segments = start + first;
		SlotCount = slots;
		SegmentCount = count;
		SegmentSize = size;
		Events = *(uint*)(head + 48);
		Depth = head[56];
		Detail = head[57];
		Elements = *(ushort*)(head + 58);
		Characters = *(ushort*)(head + 60);
		ValueBytes = *(ushort*)(head + 62);
		Entered = new byte[slots];
		Base = start;
	}

	public static uint TakeStream() {
		return (uint)Interlocked.Increment(ref *(int*)(Base + 68)) - 1;
	}

	/// The next free segment; null if there is none.
	public static byte* Claim() {
		if (Base == null)
			return null;
		int* claimed = (int*)(Base + 64);
		for (;;) {
			int number = *claimed;
			if ((uint)number >= SegmentCount)
				return null;
			if (Interlocked.CompareExchange(ref *claimed, number + 1, number) == number)
				return segments + (long)number * SegmentSize;
		}
	}
}
