// What the program writes through Console, told where it is written.
//
// The writers that Console gives stay what they are; only the stream below them is exchanged for one
// that tells of each write before it passes it on.

using System;
using System.IO;
using System.Reflection;

sealed class Told : Stream {
	readonly Stream inner;
	readonly byte number;

	public Told(Stream inner, byte number) {
		this.inner = inner;
		this.number = number;
	}

	public override bool CanRead { get { return inner.CanRead; } }
	public override bool CanSeek { get { return inner.CanSeek; } }
	public override bool CanWrite { get { return inner.CanWrite; } }
	public override long Length { get { return inner.Length; } }

	public override long Position {
		get { return inner.Position; }
		set { inner.Position = value; }
	}

	public override void Flush() {
		inner.Flush();
	}

	public override int Read(byte[] buffer, int offset, int count) {
		return inner.Read(buffer, offset, count);
	}

	public override long Seek(long offset, SeekOrigin origin) {
		return inner.Seek(offset, origin);
	}

	public override void SetLength(long value) {
		inner.SetLength(value);
	}

	public override void Write(byte[] buffer, int offset, int count) {
		Writer.Current.Output(number, buffer, offset, count);
		inner.Write(buffer, offset, count);
	}

	protected override void Dispose(bool disposing) {
		if (disposing)
			inner.Dispose();
	}
}

static class Output {
	static TextWriter first, second;
	static bool broken;

	/// Watches the stream that is about to be written to, unless that is done.
	public static void Watch(int number) {
		if (broken)
			return;
		try {
			TextWriter now = number == 1 ? Console.Out : Console.Error;
			if (ReferenceEquals(now, number == 1 ? first : second))
				return;
			if (number == 1)
				first = now;
			else
				second = now;
			Exchange(now, (byte)number);
		} catch (Exception) {
			broken = true;
		}
	}

	static void Exchange(TextWriter writer, byte number) {
		const BindingFlags Own = BindingFlags.Instance | BindingFlags.NonPublic;
		// Only what Console made itself is wrapped so.
		if (writer.GetType().Name != "SyncTextWriter")
			return;
		FieldInfo below = writer.GetType().GetField("_out", Own);
		StreamWriter inner = below == null ? null : below.GetValue(writer) as StreamWriter;
		FieldInfo place = typeof(StreamWriter).GetField("stream", Own) ?? typeof(StreamWriter).GetField("_stream", Own);
		if (inner == null || place == null)
			return;
		Stream stream = (Stream)place.GetValue(inner);
		// Mono's console has a writer of its own, and that of .NET a stream.
		Assembly console = typeof(Console).Assembly;
		if (inner.GetType().Assembly != console && (stream == null || stream.GetType().Assembly != console))
			return;
		// A stream that is a file of the program's own choice (`SetOut`) is not the output.
		if (stream is Told || stream == null || stream.CanSeek && stream.GetType() == typeof(MemoryStream))
			return;
		FileStream file = stream as FileStream;
		if (file != null && file.Name != "[Unknown]")
			return;
		place.SetValue(inner, new Told(stream, number));
	}
}

sealed unsafe partial class Writer {
	const int Shown = 1024;

	public void Output(byte number, byte[] bytes, int offset, int count) {
		if (count <= 0 || mute != None || Writing || Left == 0 || !Room(Shown + Small))
			return;
		int shown = Math.Min(count, Shown);
		byte* to = At + 1;
		*to++ = number;
		to = Varint(Varint(to, (ulong)count), (ulong)shown);
		for (int i = 0; i < shown; i++)
			*to++ = bytes[offset + i];
		Limit = OpenLimit();
		Close(Op.Stdout, to);
	}
}
