// What instrumented Swift code calls with values.
//
// A probe around an expression is generic in its type and gives it back as it came, so that the
// compiler infers what it would without the probe. One behind a statement may be overloaded, since
// the type of a variable is settled there.

/// A call begins. Evaluated before the body of a function that is one expression.
@discardableResult
public func _tr_i(_ site: UInt32) -> Bool {
  _ = begin_in(site, 0)
  return true
}

/// A call begins, with its arguments.
@discardableResult
public func _tr_i<each T>(_ site: UInt32, _ count: UInt32, _ values: repeat each T) -> Bool {
  if begin_in(site, count) != 0 {
    repeat put(each values)
    end()
  }
  return true
}

/// A call ends with a value.
@discardableResult
public func _tr_r<T>(_ site: UInt32, _ value: T) -> T {
  if begin_result(site) != 0 {
    put(value)
    end()
  }
  return value
}

/// The same for a body that is one expression: `entered` is evaluated first.
@discardableResult
public func _tr_r<T>(_ entered: Bool, _ site: UInt32, _ value: T) -> T {
  if begin_result(site) != 0 {
    put(value)
    end()
  }
  return value
}

/// A condition.
public func _tr_c(_ site: UInt32, _ value: Bool) -> Bool {
  _tr_b(site, value ? 1 : 0)
  return value
}

/// A value on its way into a place.
@discardableResult
public func _tr_v<T>(_ site: UInt32, _ value: T) -> T {
  _tr_w(site, value)
  return value
}

/// The value that a call gives back which an error might have left: now none does.
@discardableResult
public func _tr_v<T>(_ value: T, _ fails: inout Bool) -> T {
  fails = false
  return value
}

@discardableResult
public func _tr_v<T>(_ site: UInt32, _ value: T, _ fails: inout Bool) -> T {
  _tr_w(site, value)
  fails = false
  return value
}

/// The call that was entered at this depth is over, by an error or not.
public func _tr_u(_ site: UInt32, _ depth: UInt32, _ failed: Bool) {
  if failed { _tr_u(site, depth) } else { _tr_o(site) }
}

/// A variable was written.
public func _tr_w<T>(_ site: UInt32, _ value: T) {
  if begin_values(site, 1) != 0 {
    put(value)
    end()
  }
}

public func _tr_w(_ site: UInt32, _ value: Int) {
  var_int(site, value)
}

public func _tr_w(_ site: UInt32, _ value: Bool) {
  var_bool(site, value)
}

public func _tr_w(_ site: UInt32, _ value: Double) {
  var_double(site, value)
}

/// Several were.
public func _tr_w<each T>(_ site: UInt32, _ count: UInt32, each values: repeat each T) {
  if begin_values(site, count) != 0 {
    repeat put(each values)
    end()
  }
}

/// A loop goes round, with what it binds.
public func _tr_ln<each T>(_ site: UInt32, _ count: UInt32, _ values: repeat each T) {
  if begin_targets(site, count) != 0 {
    repeat put(each values)
    end()
  }
}

/// An error is thrown.
public func _tr_t<E: Error>(_ site: UInt32, _ error: E) -> E {
  tell(site, 0, error)
  return error
}

/// An error was caught.
public func _tr_k(_ site: UInt32, _ error: any Error) {
  tell(site, 1, error)
}

/// An error was caught by a pattern that does not name it.
public func _tr_k(_ site: UInt32) {
  if begin_error(site, 1) != 0 {
    put_string(nil, 0)
    put_null()
    put_no_frames()
    end()
  }
}

private func tell(_ site: UInt32, _ phase: UInt32, _ error: any Error) {
  guard begin_error(site, phase) != 0 else { return }
  let name = name(of: type(of: error))
  name.withMemoryRebound(to: UInt8.self, capacity: 1) { put_string($0, length(of: name)) }
  // Of a case that holds something, the name is the message.
  let mirror = error is any CustomReflectable ? nil : Mirror(reflecting: error)
  if mirror?.displayStyle == .enum, var label = mirror?.children.first?.label {
    label.withUTF8 { put_string($0.baseAddress, $0.count) }
  } else {
    put(error)
  }
  put_no_frames()
  end()
}

private func length(of name: Name) -> Int {
  var length = 0
  while name[length] != 0 { length += 1 }
  return length
}
