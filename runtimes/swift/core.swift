// The C half of the emitter (bridge.c), as Swift sees it. Integers and pointers pass alike in both
// calling conventions.

@_silgen_name("_trs_step") public func _tr_s(_ site: UInt32)
@_silgen_name("_trs_branch") public func _tr_b(_ site: UInt32, _ arm: UInt32)
@_silgen_name("_trs_loop") public func _tr_le(_ site: UInt32)
@_silgen_name("_trs_round") public func _tr_li(_ site: UInt32)
@_silgen_name("_trs_over") public func _tr_lx(_ site: UInt32)
@_silgen_name("_trs_out") public func _tr_o(_ site: UInt32)
@_silgen_name("_trs_unwind") public func _tr_u(_ site: UInt32, _ depth: UInt32)
@_silgen_name("_trs_depth") public func _tr_d() -> UInt32
@_silgen_name("_trs_caught") public func _tr_dr(_ depth: UInt32)
@_silgen_name("_trs_printed") public func _tr_p()
@_silgen_name("_trs_uses_tasks") public func _tr_q()

@_silgen_name("_tr_z") func end()
@_silgen_name("_trs_in") func begin_in(_ site: UInt32, _ count: UInt32) -> UInt32
@_silgen_name("_trs_result") func begin_result(_ site: UInt32) -> UInt32
@_silgen_name("_trs_targets") func begin_targets(_ site: UInt32, _ count: UInt32) -> UInt32
@_silgen_name("_trs_values") func begin_values(_ site: UInt32, _ count: UInt32) -> UInt32
@_silgen_name("_trs_error") func begin_error(_ site: UInt32, _ phase: UInt32) -> UInt32
@_silgen_name("_trs_no_frames") func put_no_frames()
@_silgen_name("_trs_var_int") func var_int(_ site: UInt32, _ value: Int)
@_silgen_name("_trs_var_bool") func var_bool(_ site: UInt32, _ value: Bool)
@_silgen_name("_trs_var_double") func var_double(_ site: UInt32, _ value: Double)

@_silgen_name("_trs_room") func room() -> Int
@_silgen_name("_trs_limits") func limit(_ which: UInt32) -> UInt32
@_silgen_name("_trs_null") func put_null()
@_silgen_name("_trs_bool") func put_bool(_ value: Bool)
@_silgen_name("_trs_int") func put_int(_ value: Int64)
@_silgen_name("_trs_uint") func put_uint(_ value: UInt64)
@_silgen_name("_trs_double") func put_double(_ value: Double)
@_silgen_name("_trs_float") func put_float(_ value: Float)
@_silgen_name("_trs_character") func put_character(_ scalar: UInt32)
@_silgen_name("_trs_typed") func put_typed(_ name: Name)
@_silgen_name("_trs_string") func put_string(_ at: UnsafePointer<UInt8>?, _ size: Int)
@_silgen_name("_trs_container")
func put_container(
  _ kind: UInt32, _ type: Name, _ heap: UInt, _ length: Int, _ shown: UInt32, _ flags: UInt32)
@_silgen_name("_trs_name") func put_name(_ name: Name)
@_silgen_name("_trs_enum") func put_enum(_ type: Name, _ name: Name)
@_silgen_name("_trs_opaque") func put_opaque(_ type: Name, _ heap: UInt)
@_silgen_name("_trs_reference") func put_reference(_ heap: UInt)
@_silgen_name("_trs_known") func known_name(_ key: UInt64) -> Name?
@_silgen_name("_trs_keep_name")
func keep_name(_ key: UInt64, _ text: UnsafePointer<UInt8>?, _ size: Int) -> Name

/// A name that stays where it is: the core tells names apart by address.
typealias Name = UnsafePointer<CChar>
