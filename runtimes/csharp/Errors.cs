// Errors: where they were raised, caught, or ended the program; threads and whose they are.

using System;
using System.Collections.Generic;
using System.Diagnostics;
using System.Reflection;
using System.Threading;

static class Errors {
	static readonly FieldInfo message = typeof(Exception).GetField("_message", BindingFlags.Instance | BindingFlags.NonPublic)
		?? typeof(Exception).GetField("message", BindingFlags.Instance | BindingFlags.NonPublic);

	/// What an error says, from its field: `Message` may be the program's own code.
	public static string MessageOf(Exception error) {
		string text = message == null ? null : (string)message.GetValue(error);
		if (text != null)
			return text;
		MethodInfo getter = error.GetType().GetProperty("Message").GetGetMethod();
		return getter.DeclaringType.Assembly == typeof(Exception).Assembly ? error.Message : null;
	}
}

sealed unsafe partial class Writer {
	public void Error(int at, byte phase, Exception error) {
		if (error == null || !BeginRecord(Op.Err, at))
			return;
		try {
			Byte(phase);
			valueStart = length;
			Text(Description.NameOf(error.GetType()), Kind.String);
			string message = Errors.MessageOf(error);
			if (message == null)
				Byte(Kind.Null);
			else
				Text(message, Kind.String);
			Number(0);
			if (phase == 0)
				Number(0);
			else
				Frames(error);
		} catch (Exception) {
			length = 0;
			Number((ulong)at);
			Byte(phase);
			Text("Exception", Kind.String);
			Byte(Kind.Null);
			Number(0);
			Number(0);
		}
		EndRecord();
	}

	/// The program's own calls that the error passed, innermost first.
	void Frames(Exception error) {
		StackFrame[] frames = new StackTrace(error, false).GetFrames() ?? new StackFrame[0];
		List<string> own = new List<string>();
		foreach (StackFrame frame in frames) {
			MethodBase method = frame.GetMethod();
			if (method == null || method.DeclaringType == null || own.Count >= 32)
				continue;
			string type = method.DeclaringType.FullName, space = method.DeclaringType.Namespace;
			if (!string.IsNullOrEmpty(space))
				type = type.Substring(space.Length + 1);
			own.Add(type.Replace('+', '.') + "." + method.Name);
		}
		Number((ulong)own.Count);
		foreach (string name in own) {
			Name(name);
			Number(0);
		}
	}

	// Threads

	struct Start {
		public uint Stream, Parent, Ordinal, Site;
	}

	static readonly Dictionary<int, Start> starts = new Dictionary<int, Start>();

	/// This thread makes another one.
	public void Announce(int site, Thread made) {
		if (Channel.Base == null || mute == MuteAll)
			return;
		Start start = new Start {
			Stream = Channel.TakeStream(), Parent = stream + 1, Ordinal = ++children, Site = (uint)site,
		};
		lock (starts)
			starts[made.ManagedThreadId] = start;
		TaskRecord(0, "thread", start.Stream, site);
	}

	void TaskRecord(byte phase, string what, uint task, int site) {
		if (mute != None || Writing || Left == 0 || !Room(Small))
			return;
		counted = false;
		Writing = true;
		Limit = null;
		op = Op.Task;
		length = 0;
		Byte(phase);
		Name(what);
		Number(task);
		Number((ulong)site);
		EndRecord();
	}

	/// Whose stream this is.
	void Identify() {
		Start start;
		int thread = Thread.CurrentThread.ManagedThreadId;
		if (thread == Channel.MainThread) {
			stream = Channel.TakeStream();
			return;
		}
		lock (starts)
			if (starts.TryGetValue(thread, out start)) {
				starts.Remove(thread);
				origin = 1;
				stream = start.Stream;
				parent = start.Parent;
				ordinal = start.Ordinal;
				parentSite = start.Site;
				return;
			}
		origin = 3;
		stream = Channel.TakeStream();
		parent = 1;
	}
}
