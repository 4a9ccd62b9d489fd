// Values: how Swift data becomes bytes of the record in hand.
//
// Nothing here runs the program's code: no description, no Comparable, no custom mirror, no getter.
// Types of the standard library put themselves; whatever else there is, is looked at by reflection
// on its stored fields.

/// Kinds of containers in the stream.
private let sequenceKind: UInt32 = 0x11
private let mapKind: UInt32 = 0x12
private let setKind: UInt32 = 0x13
private let recordKind: UInt32 = 0x14

/// What is known of the value in hand while it is put.
public struct _TrWalk {
  var level: UInt32 = 0
  var seen: [UInt] = []
  let depth = limit(0)
  let elements = Int(limit(1))

  /// Whether the parts of a container are put too.
  var goesDeeper: Bool { level < depth && room() > 64 }
}

/// A type that puts its own values.
public protocol _TrPut {
  func _tr_put(_ walk: inout _TrWalk)
}

/// Puts a value.
func put<T>(_ value: T) {
  var walk = _TrWalk()
  put(value, &walk)
}

func put<T>(_ value: T, _ walk: inout _TrWalk) {
  if let own = value as? any _TrPut {
    own._tr_put(&walk)
  } else {
    reflect(value, &walk)
  }
}

/// The name of a type, kept for good.
func name(of type: Any.Type) -> Name {
  let key = UInt64(UInt(bitPattern: ObjectIdentifier(type)))
  if let known = known_name(key) { return known }
  var text = _typeName(type, qualified: false)
  return text.withUTF8 { keep_name(key, $0.baseAddress, $0.count) }
}

/// A text as a name, kept for good.
func name(_ text: String) -> Name {
  var text = text
  return text.withUTF8 { bytes in
    var key: UInt64 = 0xcbf2_9ce4_8422_2325
    for byte in bytes { key = (key ^ UInt64(byte)) &* 0x100_0000_01b3 }
    // Odd, so that it is not a type's.
    key |= 1
    return known_name(key) ?? keep_name(key, bytes.baseAddress, bytes.count)
  }
}

@_silgen_name("swift_EnumCaseName")
private func caseName<T>(_ value: T) -> UnsafePointer<CChar>?

private func reflect<T>(_ value: T, _ walk: inout _TrWalk) {
  let type = Swift.type(of: value as Any)
  let typeName = name(of: type)
  let isClass = type is AnyObject.Type
  let heap = isClass ? UInt(bitPattern: ObjectIdentifier(value as AnyObject)) : 0
  if value is any CustomReflectable || !walk.goesDeeper {
    put_opaque(typeName, heap)
    return
  }
  if isClass {
    if walk.seen.contains(heap) {
      put_reference(heap)
      return
    }
    walk.seen.append(heap)
  }
  let mirror = Mirror(reflecting: value)
  switch mirror.displayStyle {
  case .struct, .class:
    var fields: [(label: String?, value: Any)] = []
    var ancestors: [Mirror] = []
    var next: Mirror? = mirror
    while let current = next {
      ancestors.append(current)
      next = current.superclassMirror
    }
    for ancestor in ancestors.reversed() { fields.append(contentsOf: ancestor.children) }
    putFields(fields, recordKind, typeName, heap, &walk)
  case .tuple:
    let labelled = mirror.children.allSatisfy { $0.label?.first != "." }
    putFields(Array(mirror.children), labelled ? recordKind : sequenceKind, typeName, heap, &walk)
  case .enum:
    guard let child = mirror.children.first else {
      put_enum(typeName, name(openCaseName(value)))
      put_null()
      return
    }
    // A case with a payload is shown as what it holds, under its own name.
    let own = name("\(String(cString: typeName)).\(child.label ?? "?")")
    let payload = Mirror(reflecting: child.value)
    let isTuple = payload.displayStyle == .tuple
    let parts = isTuple ? Array(payload.children) : [(label: nil, value: child.value)]
    let labelled = isTuple && parts.allSatisfy { $0.label?.first != "." }
    putFields(parts, labelled ? recordKind : sequenceKind, own, 0, &walk)
  default:
    put_opaque(typeName, heap)
  }
}

private func openCaseName(_ value: some Any) -> String {
  guard let text = caseName(value) else { return "?" }
  return String(cString: text)
}

private func putFields(
  _ fields: [(label: String?, value: Any)], _ kind: UInt32, _ type: Name, _ heap: UInt,
  _ walk: inout _TrWalk
) {
  let shown = min(fields.count, walk.elements)
  put_container(kind, type, heap, fields.count, UInt32(shown), shown < fields.count ? 1 : 0)
  walk.level += 1
  for field in fields.prefix(shown) {
    if kind == recordKind {
      var label = field.label ?? "_"
      let lazily = "$__lazy_storage_$_"
      if label.hasPrefix(lazily) { label.removeFirst(lazily.count) }
      put_name(name(label))
    }
    put(field.value, &walk)
  }
  walk.level -= 1
}

private func putElements<C: Collection>(
  _ elements: C, _ kind: UInt32, _ flags: UInt32, _ walk: inout _TrWalk
) {
  let total = elements.count
  let shown = walk.goesDeeper ? min(total, walk.elements) : 0
  let cut: UInt32 = shown < total ? 1 : 0
  put_container(kind, name(of: C.self), 0, total, UInt32(shown), flags | cut)
  walk.level += 1
  for element in elements.prefix(shown) {
    if room() > 32 { put(element, &walk) } else { put_null() }
  }
  walk.level -= 1
}

extension Int: _TrPut {
  public func _tr_put(_ walk: inout _TrWalk) { put_int(Int64(self)) }
}

extension UInt: _TrPut {
  public func _tr_put(_ walk: inout _TrWalk) { put_uint(UInt64(self)) }
}

extension Bool: _TrPut {
  public func _tr_put(_ walk: inout _TrWalk) { put_bool(self) }
}

extension Double: _TrPut {
  public func _tr_put(_ walk: inout _TrWalk) { put_double(self) }
}

extension Float: _TrPut {
  public func _tr_put(_ walk: inout _TrWalk) { put_float(self) }
}

extension FixedWidthInteger {
  fileprivate func putTyped() {
    put_typed(name(of: Self.self))
    if Self.isSigned { put_int(Int64(truncatingIfNeeded: self)) } else { put_uint(UInt64(truncatingIfNeeded: self)) }
  }
}

extension Int8: _TrPut { public func _tr_put(_ walk: inout _TrWalk) { putTyped() } }
extension Int16: _TrPut { public func _tr_put(_ walk: inout _TrWalk) { putTyped() } }
extension Int32: _TrPut { public func _tr_put(_ walk: inout _TrWalk) { putTyped() } }
extension Int64: _TrPut { public func _tr_put(_ walk: inout _TrWalk) { putTyped() } }
extension UInt8: _TrPut { public func _tr_put(_ walk: inout _TrWalk) { putTyped() } }
extension UInt16: _TrPut { public func _tr_put(_ walk: inout _TrWalk) { putTyped() } }
extension UInt32: _TrPut { public func _tr_put(_ walk: inout _TrWalk) { putTyped() } }
extension UInt64: _TrPut { public func _tr_put(_ walk: inout _TrWalk) { putTyped() } }

extension String: _TrPut {
  public func _tr_put(_ walk: inout _TrWalk) {
    var text = self
    text.withUTF8 { put_string($0.baseAddress, $0.count) }
  }
}

extension Substring: _TrPut {
  public func _tr_put(_ walk: inout _TrWalk) {
    var text = self
    put_typed(name(of: Substring.self))
    text.withUTF8 { put_string($0.baseAddress, $0.count) }
  }
}

extension StaticString: _TrPut {
  public func _tr_put(_ walk: inout _TrWalk) {
    put_typed(name(of: StaticString.self))
    withUTF8Buffer { put_string($0.baseAddress, $0.count) }
  }
}

extension Character: _TrPut {
  public func _tr_put(_ walk: inout _TrWalk) {
    if unicodeScalars.count == 1, let scalar = unicodeScalars.first {
      put_character(scalar.value)
    } else {
      var text = String(self)
      put_typed(name(of: Character.self))
      text.withUTF8 { put_string($0.baseAddress, $0.count) }
    }
  }
}

extension Unicode.Scalar: _TrPut {
  public func _tr_put(_ walk: inout _TrWalk) {
    put_typed(name(of: Unicode.Scalar.self))
    put_character(value)
  }
}

extension Optional: _TrPut {
  public func _tr_put(_ walk: inout _TrWalk) {
    if let value = self { put(value, &walk) } else { put_null() }
  }
}

extension Array: _TrPut {
  public func _tr_put(_ walk: inout _TrWalk) { putElements(self, sequenceKind, 0, &walk) }
}

extension ArraySlice: _TrPut {
  public func _tr_put(_ walk: inout _TrWalk) { putElements(self, sequenceKind, 0, &walk) }
}

extension ContiguousArray: _TrPut {
  public func _tr_put(_ walk: inout _TrWalk) { putElements(self, sequenceKind, 0, &walk) }
}

extension Set: _TrPut {
  public func _tr_put(_ walk: inout _TrWalk) { putElements(self, setKind, 2, &walk) }
}

extension Dictionary: _TrPut {
  public func _tr_put(_ walk: inout _TrWalk) {
    let shown = walk.goesDeeper ? Swift.min(count, walk.elements) : 0
    let cut: UInt32 = shown < count ? 1 : 0
    put_container(mapKind, name(of: Self.self), 0, count, UInt32(shown), 2 | cut)
    walk.level += 1
    for (key, value) in self.prefix(shown) {
      if room() > 64 {
        put(key, &walk)
        put(value, &walk)
      } else {
        put_null()
        put_null()
      }
    }
    walk.level -= 1
  }
}
