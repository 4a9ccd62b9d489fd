// What instrumented C# calls. The names are short because they are inserted many times.
//
// A probe never throws, never runs code of the program, and gives back what it was given.

using System;
using System.ComponentModel;
using System.Diagnostics;
using System.Runtime.CompilerServices;

[EditorBrowsable(EditorBrowsableState.Never)]
[DebuggerNonUserCode]
public static unsafe class _tr {
	/// A statement is about to run.
	public static void S(int site) {
		Writer w = Writer.Current;
		if (w.At < w.Limit || !w.Counted(site) && w.Decide(site) == 1)
			w.Close(Op.Step, Writer.Varint(w.At + 1, (ulong)site));
	}

	/// Something is about to be written to this standard stream.
	public static void Q(int stream) {
		Output.Watch(stream);
	}

	// Values that were written.

	public static int V(int site, int value) {
		Int(site, value);
		return value;
	}

	static void Int(int site, long value) {
		Writer w = Writer.Current;
		if (w.At < w.Limit || !w.CountedScalar(site, value, Writer.LastInt) && w.Decide(site) == 1) {
			byte* to = Writer.Varint(w.At + 1, (ulong)site);
			*to++ = 1;
			*to++ = Kind.Int;
			w.Close(Op.Var, Writer.Zigzag(to, value));
		}
	}

	public static double V(int site, double value) {
		Writer w = Writer.Current;
		if (w.At < w.Limit || !w.CountedScalar(site, *(long*)&value, Writer.LastDouble) && w.Decide(site) == 1) {
			byte* to = Writer.Varint(w.At + 1, (ulong)site);
			*to++ = 1;
			*to++ = Kind.Double;
			*(double*)to = value;
			w.Close(Op.Var, to + 8);
		}
		return value;
	}

	public static bool V(int site, bool value) {
		Writer w = Writer.Current;
		if (w.At < w.Limit || !w.CountedScalar(site, value ? 1 : 0, Writer.LastBool) && w.Decide(site) == 1) {
			byte* to = Writer.Varint(w.At + 1, (ulong)site);
			*to++ = 1;
			*to++ = value ? Kind.True : Kind.False;
			w.Close(Op.Var, to);
		}
		return value;
	}

	public static T V<T>(int site, T value) {
		Writer w = Writer.Current;
		if (w.BeginRecord(Op.Var, site)) {
			w.Number(1);
			w.Value(value);
			w.EndRecord();
		}
		return value;
	}

	/// The same where an `int` is declared: no generic code, nothing boxed.
	public static int Vi(int site, int value) {
		Int(site, value);
		return value;
	}

	public static int P(int site, int old) {
		Int(site, unchecked(old + 1));
		return old;
	}

	public static int M(int site, int old) {
		Int(site, unchecked(old - 1));
		return old;
	}

	/// The new value of what `x++` and `x--` gave the old one of.
	public static T P<T>(int site, T old) {
		Writer w = Writer.Current;
		if (w.BeginRecord(Op.Var, site)) {
			w.Number(1);
			w.Value(Values.Step(old, 1));
			w.EndRecord();
		}
		return old;
	}

	public static T M<T>(int site, T old) {
		Writer w = Writer.Current;
		if (w.BeginRecord(Op.Var, site)) {
			w.Number(1);
			w.Value(Values.Step(old, -1));
			w.EndRecord();
		}
		return old;
	}

	// Functions: entered; the depth of the call, for when errors come back to it.

	public static int I(int site) {
		Writer w = Writer.Current;
		w.BeforeEntering(site);
		if (w.At < w.Limit || !w.Counted(site) && w.Decide(site) == 1) {
			byte* to = Writer.Varint(w.At + 1, (ulong)site);
			*to++ = 0;
			w.Close(Op.In, to);
		}
		w.Enter(site);
		return w.Depth;
	}

	public static int I(int site, int a) {
		Writer w = Writer.Current;
		w.BeforeEntering(site);
		if (w.At < w.Limit || !w.Counted(site) && w.Decide(site) == 1) {
			byte* to = Writer.Varint(w.At + 1, (ulong)site);
			*to++ = 1;
			*to++ = Kind.Int;
			w.Close(Op.In, Writer.Zigzag(to, a));
		}
		w.Enter(site);
		return w.Depth;
	}

	public static int I(int site, int a, int b) {
		Writer w = Writer.Current;
		w.BeforeEntering(site);
		if (w.At < w.Limit || !w.Counted(site) && w.Decide(site) == 1) {
			byte* to = Writer.Varint(w.At + 1, (ulong)site);
			*to++ = 2;
			*to++ = Kind.Int;
			to = Writer.Zigzag(to, a);
			*to++ = Kind.Int;
			w.Close(Op.In, Writer.Zigzag(to, b));
		}
		w.Enter(site);
		return w.Depth;
	}

	static Writer Open(int site, int count, out bool told) {
		Writer w = Writer.Current;
		w.BeforeEntering(site);
		told = w.BeginRecord(Op.In, site);
		if (told)
			w.Number((ulong)count);
		return w;
	}

	static int Shut(Writer w, int site, bool told) {
		if (told)
			w.EndRecord();
		w.Enter(site);
		return w.Depth;
	}

	public static int I<A>(int site, A a) {
		bool told;
		Writer w = Open(site, 1, out told);
		if (told)
			w.Value(a);
		return Shut(w, site, told);
	}

	public static int I<A, B>(int site, A a, B b) {
		bool told;
		Writer w = Open(site, 2, out told);
		if (told) {
			w.Value(a);
			w.Value(b);
		}
		return Shut(w, site, told);
	}

	public static int I<A, B, C>(int site, A a, B b, C c) {
		bool told;
		Writer w = Open(site, 3, out told);
		if (told) {
			w.Value(a);
			w.Value(b);
			w.Value(c);
		}
		return Shut(w, site, told);
	}

	public static int I<A, B, C, D>(int site, A a, B b, C c, D d) {
		bool told;
		Writer w = Open(site, 4, out told);
		if (told) {
			w.Value(a);
			w.Value(b);
			w.Value(c);
			w.Value(d);
		}
		return Shut(w, site, told);
	}

	/// More arguments than four.
	public static int J(int site, object[] all) {
		bool told;
		Writer w = Open(site, all.Length, out told);
		if (told)
			foreach (object one in all)
				w.Value(one);
		return Shut(w, site, told);
	}

	/// The depth of a call that was told as entered where it passed arguments on.
	public static int J() {
		return Writer.Current.Depth;
	}

	/// Left without a value.
	public static void O(int site) {
		Writer w = Writer.Current;
		w.BeforeLeaving();
		if (w.At < w.Limit || !w.Counted(site) && w.Decide(site) == 1) {
			byte* to = Writer.Varint(w.At + 1, (ulong)site);
			*to++ = 0;
			w.Close(Op.Out, to);
		}
		w.LeftCall();
	}

	public static int Oi(int site, int value) {
		Writer w = Writer.Current;
		w.BeforeLeaving();
		if (w.At < w.Limit || !w.Counted(site) && w.Decide(site) == 1) {
			byte* to = Writer.Varint(w.At + 1, (ulong)site);
			*to++ = 1;
			*to++ = Kind.Int;
			w.Close(Op.Out, Writer.Zigzag(to, value));
		}
		w.LeftCall();
		return value;
	}

	public static T O<T>(int site, T value) {
		Writer w = Writer.Current;
		w.BeforeLeaving();
		if (w.BeginRecord(Op.Out, site)) {
			w.Number(1);
			w.Value(value);
			w.EndRecord();
		}
		w.LeftCall();
		return value;
	}

	/// What the call will give when it is left; something may still run before that.
	public static T H<T>(int site, T value) {
		Writer.Current.Promise(site, true, value);
		return value;
	}

	public static void H(int site) {
		Writer.Current.Promise(site, false, null);
	}

	/// The body of a lambda that is one expression: entered first, left with its value.
	public static T L<T>(int site, int depth, T value) {
		return O<T>(site, value);
	}

	/// The body of a function that is a `throw`, or what a constructor passes on: entered first.
	public static T D<T>(int depth, T error) {
		return error;
	}

	// Branches

	public static void B(int site, int arm) {
		Writer w = Writer.Current;
		if (w.At < w.Limit || !w.CountedScalar(site, arm, Writer.LastArm) && w.Decide(site) == 1) {
			byte* to = Writer.Varint(w.At + 1, (ulong)site);
			to = Writer.Varint(to, (ulong)arm);
			*to++ = 0;
			w.Close(Op.Branch, to);
		}
	}

	static Writer Branch(int site, int arm, int count) {
		Writer w = Writer.Current;
		if (w.CountedScalar(site, arm, Writer.LastArm) || !w.BeginRecord(Op.Branch, site))
			return null;
		w.Number((ulong)arm);
		w.Number((ulong)count);
		return w;
	}

	public static void B(int site, int arm, int a) {
		Writer w = Writer.Current;
		if (w.At < w.Limit || !w.CountedScalar(site, arm, Writer.LastArm) && w.Decide(site) == 1) {
			byte* to = Writer.Varint(w.At + 1, (ulong)site);
			to = Writer.Varint(to, (ulong)arm);
			*to++ = 1;
			*to++ = Kind.Int;
			w.Close(Op.Branch, Writer.Zigzag(to, a));
		}
	}

	public static void B(int site, int arm, int a, int b) {
		Writer w = Writer.Current;
		if (w.At < w.Limit || !w.CountedScalar(site, arm, Writer.LastArm) && w.Decide(site) == 1) {
			byte* to = Writer.Varint(w.At + 1, (ulong)site);
			to = Writer.Varint(to, (ulong)arm);
			*to++ = 2;
			*to++ = Kind.Int;
			to = Writer.Zigzag(to, a);
			*to++ = Kind.Int;
			w.Close(Op.Branch, Writer.Zigzag(to, b));
		}
	}

	public static void B<A>(int site, int arm, A a) {
		Writer w = Branch(site, arm, 1);
		if (w == null)
			return;
		w.Value(a);
		w.EndRecord();
	}

	public static void B<A, C>(int site, int arm, A a, C b) {
		Writer w = Branch(site, arm, 2);
		if (w == null)
			return;
		w.Value(a);
		w.Value(b);
		w.EndRecord();
	}

	/// A condition within an expression.
	public static bool T(int site, bool truth) {
		B(site, truth ? 1 : 0);
		return truth;
	}

	/// One that is not simply true or false: it is not told.
	public static T T<T>(int site, T value) {
		return value;
	}

	// Loops

	static void Loop(int site, byte phase) {
		Writer w = Writer.Current;
		if (w.At < w.Limit || !w.Counted(site) && w.Decide(site) == 1) {
			byte* to = Writer.Varint(w.At + 1, (ulong)site);
			*to++ = phase;
			*to++ = 0;
			w.Close(Op.Loop, to);
		}
	}

	public static void E(int site) {
		Loop(site, 0);
		Writer.Current.EnterLoop(site);
	}

	public static void N(int site) {
		Writer.Current.IterateLoop(site);
		Loop(site, 1);
	}

	public static void N<A>(int site, A target) {
		Writer w = Writer.Current;
		w.IterateLoop(site);
		if (w.BeginRecord(Op.Loop, site)) {
			w.Number(1);
			w.Number(1);
			w.Value(target);
			w.EndRecord();
		}
	}

	public static void X(int site) {
		Writer.Current.LeaveLoop(site);
		Loop(site, 2);
	}

	// Errors

	/// Raised here.
	public static E R<E>(int site, E error) where E : class {
		Writer.Current.Error(site, 0, error as Exception);
		return error;
	}

	/// Caught in the call of this depth.
	public static void C(int site, Exception error, int depth) {
		Writer w = Writer.Current;
		w.Return(depth);
		w.Error(site, 1, error);
	}

	/// Nobody in the program catches it; never handles it.
	public static bool U(int site, Exception error) {
		Writer.Current.Error(site, 3, error);
		return false;
	}

	// Suspensions

	/// `yield return`: the call waits.
	public static T Y<T>(int site, T value) {
		Writer w = Writer.Current;
		w.BeforeLeaving();
		if (w.BeginRecord(Op.Out, site)) {
			w.Number(5);
			w.Value(value);
			w.EndRecord();
		}
		w.LeftCall();
		return value;
	}

	/// It goes on.
	public static int G(int site, int entry) {
		Writer w = Writer.Current;
		if (w.At < w.Limit || !w.Counted(site) && w.Decide(site) == 1) {
			byte* to = Writer.Varint(w.At + 1, (ulong)site);
			*to++ = 0;
			w.Close(Op.Resume, to);
		}
		w.Enter(entry);
		return w.Depth;
	}

	/// About to wait for something: `depth` is -1 from then on, unless it is there already.
	public static T A<T>(int site, T awaited, ref int depth) {
		System.Threading.Tasks.Task task = awaited as System.Threading.Tasks.Task;
		if (task != null && task.IsCompleted)
			return awaited;
		Writer w = Writer.Current;
		w.BeforeLeaving();
		if (w.At < w.Limit || !w.Counted(site) && w.Decide(site) == 1) {
			byte* to = Writer.Varint(w.At + 1, (ulong)site);
			*to++ = 4;
			w.Close(Op.Out, to);
		}
		w.LeftCall();
		depth = -1;
		return awaited;
	}

	/// The same for a variable, which must not be a structure.
	public static T AC<T>(int site, T awaited, ref int depth) where T : class {
		return A(site, awaited, ref depth);
	}

	/// Waited, if `depth` says so.
	public static void W(int site, int entry, ref int depth) {
		if (depth < 0)
			depth = G(site, entry);
	}

	public static T W<T>(T value, int site, int entry, ref int depth) {
		if (depth < 0)
			depth = G(site, entry);
		return value;
	}

	/// The end of a function that may be left by an error that no code of the program handles.
	public static void F(int depth) {
		Writer w = Writer.Current;
		if (depth <= 0 || w.Depth < depth)
			return;
		w.Return(depth);
		if (!w.Keep(depth))
			w.Return(depth - 1);
	}

	/// `yield return` of what cannot be told.
	public static void Z(int site) {
		Writer w = Writer.Current;
		w.BeforeLeaving();
		if (w.At < w.Limit || !w.Counted(site) && w.Decide(site) == 1) {
			byte* to = Writer.Varint(w.At + 1, (ulong)site);
			*to++ = 4;
			w.Close(Op.Out, to);
		}
		w.LeftCall();
	}

	/// A thread is made here.
	public static T K<T>(int site, T made) {
		System.Threading.Thread thread = (object)made as System.Threading.Thread;
		if (thread != null)
			Writer.Current.Announce(site, thread);
		return made;
	}
}
