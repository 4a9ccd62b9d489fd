// What is known of a type: its name as C# writes it, and how its values are described.

using System;
using System.Collections.Generic;
using System.Reflection;
using System.Text;

enum Shape { Scalar, List, Map, Set, Sequence, Record, Enum, Text, Error, Delegate, Opaque }

sealed class Description {
	public string Name;
	public Shape Shape;
	public FieldInfo[] Fields;
	public string[] FieldNames;
	public Dictionary<long, string> Members;

	static readonly Dictionary<Type, Description> known = new Dictionary<Type, Description>();

	static readonly Dictionary<Type, string> keywords = new Dictionary<Type, string> {
		{ typeof(object), "object" }, { typeof(string), "string" }, { typeof(bool), "bool" }, { typeof(char), "char" },
		{ typeof(sbyte), "sbyte" }, { typeof(byte), "byte" }, { typeof(short), "short" }, { typeof(ushort), "ushort" },
		{ typeof(int), "int" }, { typeof(uint), "uint" }, { typeof(long), "long" }, { typeof(ulong), "ulong" },
		{ typeof(float), "float" }, { typeof(double), "double" }, { typeof(decimal), "decimal" }, { typeof(void), "void" },
	};

	static readonly HashSet<string> lists = new HashSet<string> {
		"System.Collections.Generic.List`1", "System.Collections.ArrayList",
		"System.Collections.ObjectModel.ReadOnlyCollection`1", "System.Collections.ObjectModel.Collection`1",
	};

	static readonly HashSet<string> maps = new HashSet<string> {
		"System.Collections.Generic.Dictionary`2", "System.Collections.Hashtable",
		"System.Collections.Generic.SortedDictionary`2", "System.Collections.Generic.SortedList`2",
	};

	static readonly HashSet<string> sequences = new HashSet<string> {
		"System.Collections.Generic.Queue`1", "System.Collections.Generic.Stack`1",
		"System.Collections.Generic.LinkedList`1", "System.Collections.Queue", "System.Collections.Stack",
	};

	static readonly HashSet<string> sets = new HashSet<string> {
		"System.Collections.Generic.HashSet`1", "System.Collections.Generic.SortedSet`1",
	};

	static readonly HashSet<string> texts = new HashSet<string> {
		"System.Decimal", "System.DateTime", "System.TimeSpan", "System.Guid", "System.DateTimeOffset", "System.Version",
		"System.Numerics.BigInteger", "System.Numerics.Complex", "System.Text.StringBuilder", "System.IntPtr",
		"System.UIntPtr", "System.Uri", "System.RuntimeType",
	};

	public static Description Of(Type type) {
		lock (known) {
			Description found;
			if (!known.TryGetValue(type, out found)) {
				found = new Description(type);
				known[type] = found;
			}
			return found;
		}
	}

	/// The name as C# writes it.
	public static string NameOf(Type type) {
		string keyword;
		if (keywords.TryGetValue(type, out keyword))
			return keyword;
		if (type.IsArray)
			return NameOf(type.GetElementType()) + "[" + new string(',', type.GetArrayRank() - 1) + "]";
		if (type.IsPointer || type.IsByRef)
			return NameOf(type.GetElementType()) + "*";
		Type inner = Nullable.GetUnderlyingType(type);
		if (inner != null)
			return NameOf(inner) + "?";
		if (type.Name.StartsWith("<>f__AnonymousType") || type.Name.StartsWith("<>__AnonType"))
			return "anonymous";
		if (!type.IsGenericType)
			return type.IsNested && !type.IsGenericParameter ? NameOf(type.DeclaringType) + "." + type.Name : type.Name;
		StringBuilder text = new StringBuilder();
		Type[] arguments = type.GetGenericArguments();
		bool tuple = type.FullName != null && type.FullName.StartsWith("System.ValueTuple`");
		string name = type.Name;
		int tick = name.IndexOf('`');
		text.Append(tuple ? "(" : (tick < 0 ? name : name.Substring(0, tick)) + "<");
		for (int i = 0; i < arguments.Length; i++)
			text.Append(i > 0 ? ", " : "").Append(NameOf(arguments[i]));
		return text.Append(tuple ? ")" : ">").ToString();
	}

	Description(Type type) {
		Name = NameOf(type);
		string full = type.IsGenericType ? type.GetGenericTypeDefinition().FullName : type.FullName;
		full = full ?? "";
		if (type.IsEnum) {
			Shape = Shape.Enum;
			Members = new Dictionary<long, string>();
			foreach (FieldInfo field in type.GetFields(BindingFlags.Public | BindingFlags.Static)) {
				long value = Values.Bits(field.GetRawConstantValue());
				if (!Members.ContainsKey(value))
					Members[value] = field.Name;
			}
		} else if (type.IsArray || lists.Contains(full)) {
			Shape = Shape.List;
		} else if (maps.Contains(full)) {
			Shape = Shape.Map;
		} else if (sets.Contains(full)) {
			Shape = Shape.Set;
		} else if (sequences.Contains(full)) {
			Shape = Shape.Sequence;
		} else if (texts.Contains(full)) {
			Shape = Shape.Text;
		} else if (typeof(Delegate).IsAssignableFrom(type)) {
			Shape = Shape.Delegate;
		} else if (typeof(Exception).IsAssignableFrom(type)) {
			Shape = Shape.Error;
		} else if (IsOwn(type) || full.StartsWith("System.ValueTuple`") || full.StartsWith("System.Tuple`")
			|| full.StartsWith("System.Collections.Generic.KeyValuePair`")) {
			Shape = Shape.Record;
			Collect(type);
		} else {
			Shape = Shape.Opaque;
		}
	}

	/// Whether a type is the program's own rather than a library's.
	static bool IsOwn(Type type) {
		string assembly = type.Assembly.FullName;
		foreach (string library in new[] { "mscorlib,", "System", "Mono.", "Microsoft.", "netstandard,", "_tr," })
			if (assembly.StartsWith(library, StringComparison.Ordinal))
				return false;
		return true;
	}

	void Collect(Type type) {
		List<FieldInfo> fields = new List<FieldInfo>();
		List<Type> line = new List<Type>();
		for (Type at = type; at != null && at != typeof(object) && at != typeof(ValueType); at = at.BaseType)
			line.Insert(0, at);
		foreach (Type at in line)
			foreach (FieldInfo field in at.GetFields(BindingFlags.Instance | BindingFlags.Public | BindingFlags.NonPublic | BindingFlags.DeclaredOnly))
				if (!field.FieldType.IsPointer)
					fields.Add(field);
		Fields = fields.ToArray();
		FieldNames = new string[Fields.Length];
		for (int i = 0; i < Fields.Length; i++) {
			string name = Fields[i].Name;
			int close = name.IndexOf('>');
			if (name.StartsWith("<") && close > 1)
				name = name.Substring(1, close - 1);
			else if (name.StartsWith("m_Item"))
				name = name.Substring(2);
			FieldNames[i] = name;
		}
	}
}
