// How values become bytes: by exact type and by fields, never by the program's own code.

using System;
using System.Collections;
using System.Globalization;
using System.Reflection;
using System.Text;

static class Values {
	/// The bits of an integer of any size.
	public static long Bits(object number) {
		switch (Type.GetTypeCode(number.GetType())) {
			case TypeCode.SByte: return (sbyte)number;
			case TypeCode.Byte: return (byte)number;
			case TypeCode.Int16: return (short)number;
			case TypeCode.UInt16: return (ushort)number;
			case TypeCode.Int32: return (int)number;
			case TypeCode.UInt32: return (uint)number;
			case TypeCode.Int64: return (long)number;
			case TypeCode.UInt64: return (long)(ulong)number;
			case TypeCode.Char: return (char)number;
			default: return 0;
		}
	}

	/// One more or less; what cannot be counted stays.
	public static object Step(object old, int by) {
		unchecked {
			if (old == null)
				return null;
			switch (Type.GetTypeCode(old.GetType())) {
				case TypeCode.SByte: return old is Enum ? old : (object)(sbyte)((sbyte)old + by);
				case TypeCode.Byte: return old is Enum ? old : (object)(byte)((byte)old + by);
				case TypeCode.Int16: return old is Enum ? old : (object)(short)((short)old + by);
				case TypeCode.UInt16: return old is Enum ? old : (object)(ushort)((ushort)old + by);
				case TypeCode.Int32: return old is Enum ? old : (object)((int)old + by);
				case TypeCode.UInt32: return old is Enum ? old : (object)(uint)((uint)old + (uint)by);
				case TypeCode.Int64: return old is Enum ? old : (object)((long)old + by);
				case TypeCode.UInt64: return old is Enum ? old : (object)(ulong)((ulong)old + (ulong)by);
				case TypeCode.Char: return (char)((char)old + by);
				case TypeCode.Single: return (float)old + by;
				case TypeCode.Double: return (double)old + by;
				case TypeCode.Decimal: return (decimal)old + by;
				default: return old;
			}
		}
	}
}

sealed unsafe partial class Writer {
	readonly object[] path = new object[8];
	int level;

	/// One value of the record being built.
	public void Value(int value) {
		Byte(Kind.Int);
		Signed(value);
	}

	public void Value<T>(T value) {
		valueStart = length;
		level = 0;
		int begin = length;
		try {
			Put(value);
		} catch (Exception) {
			// A container changed by another thread meanwhile, memory that is used up.
			length = begin;
			Opaque("object", null, "");
		}
	}

	void Typed(string type) {
		Byte(Kind.Typed);
		Name(type);
	}

	void Put(object value) {
		if (value == null) {
			Byte(Kind.Null);
			return;
		}
		Type type = value.GetType();
		if (!type.IsEnum && Scalar(value, type))
			return;
		Description about = Description.Of(type);
		switch (about.Shape) {
			case Shape.Enum:
				PutEnum(value, about);
				return;
			case Shape.Text:
				PutText(value, about);
				return;
			case Shape.Delegate:
				MethodInfo method = ((Delegate)value).Method;
				Byte(Kind.Function);
				Name(method.Name.IndexOf('<') >= 0 ? "lambda" : Description.NameOf(method.DeclaringType) + "." + method.Name);
				return;
			case Shape.Error:
				Opaque(about.Name, value, Errors.MessageOf((Exception)value) ?? "");
				return;
			case Shape.Opaque:
				Opaque(about.Name, type.IsValueType ? null : value, "");
				return;
		}
		if (!type.IsValueType)
			for (int i = 0; i < level && i < path.Length; i++)
				if (ReferenceEquals(path[i], value)) {
					Byte(Kind.Reference);
					Number(Heap(value));
					return;
				}
		if (level >= Channel.Depth || level >= path.Length || Full) {
			Opaque(about.Name, type.IsValueType ? null : value, "…");
			return;
		}
		path[level++] = type.IsValueType ? null : value;
		object identity = type.IsValueType ? null : value;
		switch (about.Shape) {
			case Shape.List:
				PutList(value, about, identity);
				break;
			case Shape.Map:
				PutMap((IDictionary)value, about, identity);
				break;
			case Shape.Set:
			case Shape.Sequence:
				PutItems((IEnumerable)value, about, identity);
				break;
			default:
				PutRecord(value, about, identity);
				break;
		}
		path[--level] = null;
	}

	bool Scalar(object value, Type type) {
		switch (Type.GetTypeCode(type)) {
			case TypeCode.Int32:
				Byte(Kind.Int);
				Signed((int)value);
				return true;
			case TypeCode.Boolean:
				Byte((bool)value ? Kind.True : Kind.False);
				return true;
			case TypeCode.Char:
				Byte(Kind.Character);
				Number((char)value);
				return true;
			case TypeCode.String:
				Text((string)value, Kind.String);
				return true;
			case TypeCode.Double:
				Byte(Kind.Double);
				Raw((ulong)BitConverter.DoubleToInt64Bits((double)value), 8);
				return true;
			case TypeCode.Single:
				Byte(Kind.Float);
				float single = (float)value;
				Raw(*(uint*)&single, 4);
				return true;
			case TypeCode.UInt32:
				Byte(Kind.Uint);
				Number((uint)value);
				return true;
			case TypeCode.UInt64:
				Typed("ulong");
				Byte(Kind.Uint);
				Number((ulong)value);
				return true;
			case TypeCode.SByte:
			case TypeCode.Byte:
			case TypeCode.Int16:
			case TypeCode.UInt16:
			case TypeCode.Int64:
				Typed(Description.NameOf(type));
				Byte(Kind.Int);
				Signed(Values.Bits(value));
				return true;
			default:
				return false;
		}
	}

	void PutEnum(object value, Description about) {
		long bits = Values.Bits(Convert.ChangeType(value, Enum.GetUnderlyingType(value.GetType()), CultureInfo.InvariantCulture));
		string name;
		if (!about.Members.TryGetValue(bits, out name)) {
			StringBuilder flags = new StringBuilder();
			long rest = bits;
			foreach (System.Collections.Generic.KeyValuePair<long, string> member in about.Members)
				if (member.Key != 0 && (rest & member.Key) == member.Key) {
					flags.Append(flags.Length > 0 ? " | " : "").Append(member.Value);
					rest &= ~member.Key;
				}
			name = rest == 0 && flags.Length > 0 ? flags.ToString() : bits.ToString(CultureInfo.InvariantCulture);
		}
		Byte(Kind.Enum);
		Name(about.Name);
		Name(name);
		Byte(Kind.Int);
		Signed(bits);
	}

	void PutText(object value, Description about) {
		StringBuilder builder = value as StringBuilder;
		string text;
		if (builder != null) {
			text = builder.Length > 2000 ? builder.ToString(0, 2000) : builder.ToString();
		} else {
			Type type = value as Type;
			IFormattable formattable = value as IFormattable;
			text = type != null ? Description.NameOf(type)
				: value is DateTime ? ((DateTime)value).ToString("yyyy-MM-dd HH:mm:ss.FFFFFFF", CultureInfo.InvariantCulture)
				: formattable != null ? formattable.ToString(null, CultureInfo.InvariantCulture)
				: value is IntPtr || value is UIntPtr ? "pointer"
				: value.ToString();
		}
		if (about.Name == "BigInteger") {
			Typed(about.Name);
			Byte(Kind.Big);
			if (text.Length > 400) {
				length--;
				Text(text, Kind.String);
				return;
			}
			Number((ulong)text.Length);
			foreach (char digit in text)
				Byte((byte)digit);
			return;
		}
		Opaque(about.Name, builder, text);
	}

	/// The head of a container; gives how many of its parts are shown.
	int Head(byte kind, Description about, object identity, int count, byte flags) {
		int shown = Math.Min(count, Channel.Elements);
		Byte(kind);
		Name(about.Name);
		Number(Heap(identity));
		Number((ulong)count);
		if (shown < count)
			flags |= 1;
		Byte(flags);
		if (shown < count)
			Raw(0, 8);
		Number((ulong)shown);
		return shown;
	}

	void PutList(object value, Description about, object identity) {
		Array array = value as Array;
		if (array != null && array.Rank > 1) {
			int all = Head(Kind.Sequence, about, identity, array.Length, 0);
			foreach (object one in array) {
				if (all-- <= 0)
					break;
				PutPart(one);
			}
			return;
		}
		int[] integers = value as int[];
		IList list = (IList)value;
		int shown = Head(Kind.Sequence, about, identity, list.Count, 0);
		for (int i = 0; i < shown; i++) {
			if (integers != null && value.GetType() == typeof(int[])) {
				Byte(Kind.Int);
				Signed(integers[i]);
			} else {
				PutPart(list[i]);
			}
		}
	}

	/// A part of a container: nothing but a mark once the value has used up its room.
	void PutPart(object value) {
		if (Full && length < buffer.Length - 64)
			Opaque("…", null, "");
		else
			Put(value);
	}

	void PutMap(IDictionary map, Description about, object identity) {
		bool sorted = about.Name.StartsWith("Sorted");
		int shown = Head(Kind.Map, about, identity, map.Count, (byte)(sorted ? 0 : 2));
		IDictionaryEnumerator each = map.GetEnumerator();
		while (shown-- > 0 && each.MoveNext()) {
			PutPart(each.Key);
			PutPart(each.Value);
		}
	}

	void PutItems(IEnumerable items, Description about, object identity) {
		bool set = about.Shape == Shape.Set;
		ICollection collection = items as ICollection;
		int count = collection != null ? collection.Count
			: (int)items.GetType().GetProperty("Count").GetValue(items, null);
		int shown = Head(set ? Kind.Set : Kind.Sequence, about, identity, count,
			(byte)(about.Name.StartsWith("HashSet") ? 2 : 0));
		foreach (object item in items) {
			if (shown-- <= 0)
				break;
			PutPart(item);
		}
	}

	void PutRecord(object value, Description about, object identity) {
		int shown = Head(Kind.Record, about, identity, about.Fields.Length, 0);
		for (int i = 0; i < shown; i++) {
			Name(about.FieldNames[i]);
			PutPart(about.Fields[i].GetValue(value));
		}
	}
}
