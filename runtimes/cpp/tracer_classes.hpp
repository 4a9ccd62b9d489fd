/* Classes: the program's own by their fields, the standard library's by what they hold. Part of
 * tracer_emit.hpp, from C++14 on. */

/* How a class of the standard library is shown. */
enum shape {
	OWN,
	STRING,
	BLOCK,    /* data() and size() */
	SEQUENCE, /* begin() and end() */
	NODES,    /* the same, one by one */
	CHAIN,    /* the same, without a size() */
	BITS,
	SET,
	HASHED_SET,
	MAP,
	HASHED_MAP,
	ADAPTER, /* a container inside another's interface */
	PAIR,
	TUPLE,
	OWNER,
	OPTIONAL,
	EXPECTED,
	VARIANT,
	COMPLEX,
	ATOMIC,
	DURATION,
	LIST,   /* std::initializer_list */
	WRAPPER /* std::reference_wrapper */
};

/* Behind `with` in a text; 0 if it does not start with it. */
constexpr const char *after(const char *text, const char *with)
{
	while (*with)
		if (*text++ != *with++)
			return 0;
	return text;
}

struct known {
	const char *name;
	shape is;
};

constexpr shape shape_of(const char *pretty)
{
	constexpr known all[] = {
		{"basic_string<char", STRING}, {"basic_string_view<char", STRING},
		/* As clang's own library has them named. */
		{"string]", STRING}, {"string_view]", STRING},
		{"vector<bool", BITS}, {"vector<", BLOCK}, {"array<", BLOCK}, {"span<", BLOCK},
		{"deque<", SEQUENCE}, {"list<", NODES}, {"forward_list<", CHAIN},
		{"set<", SET}, {"multiset<", SET},
		{"unordered_set<", HASHED_SET}, {"unordered_multiset<", HASHED_SET},
		{"map<", MAP}, {"multimap<", MAP},
		{"unordered_map<", HASHED_MAP}, {"unordered_multimap<", HASHED_MAP},
		{"stack<", ADAPTER}, {"queue<", ADAPTER}, {"priority_queue<", ADAPTER},
		{"pair<", PAIR}, {"tuple<", TUPLE}, {"unique_ptr<", OWNER}, {"shared_ptr<", OWNER},
		{"optional<", OPTIONAL}, {"expected<", EXPECTED}, {"bitset<", BITS}, {"variant<", VARIANT}, {"complex<", COMPLEX}, {"atomic<", ATOMIC},
		{"chrono::duration<", DURATION}, {"initializer_list<", LIST},
		{"reference_wrapper<", WRAPPER},
	};
	while (*pretty && !after(pretty, "_tr_T = "))
		pretty++;
	if (!*pretty)
		return OWN;
	const char *at = after(pretty + 8, "std::");
	if (!at)
		return OWN;
	constexpr const char *inner_names[] = {"__cxx11::", "__debug::", "__1::", "_V2::"};
	for (const char *inner : inner_names)
		if (const char *next = after(at, inner))
			at = next;
	for (const known &one : all)
		if (after(at, one.name))
			return one.is;
	return OWN;
}

none _tr_f(none &, const volatile void *);

/* What a class's own description calls for each field and base. */
struct fields {
	_tr_u record;
	const char *object;
	_tr_ul size;
	template <class F> void field(const char *name, const F &value)
	{
		if (!_tr_xf(record, name))
			return;
		const char *at = (const char *)&reinterpret_cast<const volatile char &>(value);
		bool inside = at >= object && at < object + size;
		/* A reference, whose object may be gone. */
		if (!inside && !_tr_xok(at, _tr_ns::size<F>::value))
			_tr_xskip();
		else
			of<F>::put(value);
	}
	template <class B> void base(const B *part)
	{
		base_fields(part, 0);
	}
	template <class B>
	auto base_fields(const B *part, int) -> decltype((void)_tr_f(*this, part))
	{
		_tr_f(*this, part);
	}
	void base_fields(const volatile void *, long) {}
};

template <class T> auto put_fields(const T &value, int) -> decltype((void)_tr_f(*(fields *)0, &value))
{
	const T *object = __builtin_addressof(value);
	fields all = {_tr_xr(name<T>()), (const char *)object, sizeof(T)};
	_tr_f(all, object);
	_tr_xrz(all.record);
}
template <class T> void put_fields(const T &, long) { _tr_xo(name<T>()); }

template <class E> inline void put_element(const E &element) { of<E>::put(element); }
template <class K, class V> inline void put_entry(const K &key, const V &value)
{
	of<K>::put(key);
	of<V>::put(value);
}

template <bool entries, class T> inline void put_iterated(const T &value, _tr_u shown)
{
	_tr_u since = _tr_xat();
	auto at = value.begin();
	for (; shown; --shown, ++at) {
		bool cut = _tr_xlong(since);
		if constexpr (entries) {
			if (cut)
				_tr_xskip(), _tr_xskip();
			else
				put_entry((*at).first, (*at).second);
		} else {
			if (cut)
				_tr_xskip();
			else
				put_element(*at);
		}
	}
}

/* Whether the nodes of a container can be walked. Other libraries' layouts are not known. */
template <shape is, class T>
auto is_walkable(const T &value, int) -> decltype((void)value.end()._M_node, true)
{
	typedef typename T::value_type E;
	if constexpr (is == SET || is == MAP) {
		return _tr_xtree(value.end()._M_node, value.size(), sizeof(E));
	} else if constexpr (is == NODES) {
		return _tr_xchain(value.begin()._M_node, value.size(), sizeof(void *) + sizeof(E), 0);
	} else if constexpr (is == CHAIN) {
		return _tr_xchain(value.begin()._M_node, 1 << 20, sizeof(E), 1);
	} else {
		auto first = value.begin(), last = value.end();
		_tr_ul blocks = last._M_node - first._M_node + 1, block = first._M_last - first._M_first;
		return blocks < 1 << 20 && _tr_xblocks(first._M_node, blocks < 4 ? blocks : 4, block * sizeof(E));
	}
}
template <shape is, class T>
auto is_walkable(const T &value, int)
	-> decltype((void)value.begin()._M_cur, (void)value.bucket_count(), true)
{
	return _tr_xchain(value.begin()._M_cur, value.size(), sizeof(typename T::value_type), 0);
}
template <shape is, class T> auto is_walkable(const T &value, int) -> decltype((void)value.begin()._M_p, true)
{
	return _tr_xok(value.begin()._M_p, value.size() < 512 ? value.size() / 8 + 1 : 64);
}
template <shape is, class T> bool is_walkable(const T &, long) { return true; }

template <class T> struct is_object { static const bool value = true; };
template <> struct is_object<void> { static const bool value = false; };
template <> struct is_object<const void> { static const bool value = false; };

/* A container that its adapter lets only heirs see. */
template <class T> struct adapted : T {
	static const auto &container(const T &value) { return value.*(&adapted::c); }
};

/* So that `get<…>` reads as a template, and the right one is found beside its type. */
template <_tr_ul> void get(none);

template <_tr_ul I, class T> inline void put_parts(const T &value, _tr_u shown)
{
	if constexpr (I > 0) {
		put_parts<I - 1>(value, shown);
		if (I <= shown)
			put_element(get<I - 1>(value));
	}
}

template <class T> struct parts;
template <template <class...> class C, class... E> struct parts<C<E...>> {
	static const _tr_ul count = sizeof...(E);
};

template <_tr_ul I, _tr_ul N, class T> inline void put_alternative(const T &value)
{
	if constexpr (I < N) {
		if (value.index() == I) {
			if (_tr_u record = _tr_xr(name<T>())) {
				if (_tr_xf(record, "value"))
					put_element(get<I>(value));
				_tr_xrz(record);
			} else {
				_tr_xrz(record);
			}
		} else {
			put_alternative<I + 1, N>(value);
		}
	} else {
		_tr_xo(name<T>());
	}
}

template <class A, class B>
inline void put_two(const char *type, const char *one, const A &first, const char *two,
                    const B &second)
{
	_tr_u record = _tr_xr(type);
	if (_tr_xf(record, one))
		put_element(first);
	if (_tr_xf(record, two))
		put_element(second);
	_tr_xrz(record);
}

template <class T> struct general<T, 2> {
	static void put(const T &value)
	{
		constexpr shape is = shape_of(name<T>());
		const char *type = name<T>();
		if constexpr (is == OWN) {
			put_fields(value, 0);
		} else if constexpr (is == STRING) {
			_tr_xs(value.data(), value.size(), type);
		} else if constexpr (is == BLOCK) {
			typedef typename bare<typename T::value_type>::type E;
			_tr_ul size = value.size();
			const E *data = value.data();
			if (!_tr_xok(data, (size < 64 ? size : 64) * sizeof(E))) {
				_tr_xo(type);
			} else {
				put_some<E>(data, _tr_xq(0x11, type, size, 0));
				_tr_xz();
			}
		} else if constexpr (is == LIST) {
			typedef typename bare<typename T::value_type>::type E;
			if (!_tr_xok(value.begin(), (value.size() < 64 ? value.size() : 64) * sizeof(E)))
				return _tr_xo(type);
			put_some<E>(value.begin(), _tr_xq(0x11, type, value.size(), 0));
			_tr_xz();
		} else if constexpr (is == PAIR) {
			put_two(type, "first", value.first, "second", value.second);
		} else if constexpr (is == COMPLEX) {
			put_two(type, "re", value.real(), "im", value.imag());
		} else if constexpr (is == TUPLE) {
			put_parts<parts<T>::count>(value, _tr_xq(0x11, type, parts<T>::count, 0));
			_tr_xz();
		} else if constexpr (is == OWNER) {
			typedef typename bare<typename T::element_type>::type E;
			const E *held = value.get();
			if (_tr_xp(type, (_tr_ptr)held, size<E>::value, 0, !_tr_xbeyond())) {
				of<E>::put(*held);
				_tr_xpz(!_tr_xbeyond());
			}
		} else if constexpr (is == OPTIONAL) {
			if (value.has_value()) {
				_tr_u record = _tr_xr(type);
				if (_tr_xf(record, "value"))
					put_element(*value);
				_tr_xrz(record);
			} else {
				_tr_xnull(type);
			}
		} else if constexpr (is == EXPECTED) {
			_tr_u record = _tr_xr(type);
			if (!value.has_value()) {
				if (_tr_xf(record, "error"))
					put_element(value.error());
			} else if constexpr (is_object<typename T::value_type>::value) {
				if (_tr_xf(record, "value"))
					put_element(*value);
			}
			_tr_xrz(record);
		} else if constexpr (is == VARIANT) {
			put_alternative<0, parts<T>::count>(value);
		} else if constexpr (is == ATOMIC) {
			put_element(value.load());
		} else if constexpr (is == DURATION) {
			_tr_u record = _tr_xr(type);
			if (_tr_xf(record, "count"))
				put_element(value.count());
			_tr_xrz(record);
		} else if constexpr (is == WRAPPER) {
			put_element(value.get());
		} else if (_tr_xbeyond() || !is_walkable<is>(value, 0)) {
			_tr_xo(type);
		} else if constexpr (is == ADAPTER) {
			put_element(adapted<T>::container(value));
		} else if constexpr (is == CHAIN) {
			_tr_ul length = 0;
			for (auto at = value.begin(); at != value.end(); ++at)
				length++;
			put_iterated<false>(value, _tr_xq(0x11, type, length, 0));
			_tr_xz();
		} else if constexpr (is == BITS) {
			_tr_u shown = _tr_xq(0x11, type, value.size(), 0);
			for (_tr_u i = 0; i < shown; i++)
				_tr_a(0u, (bool)value[i]);
			_tr_xz();
		} else if constexpr (is == MAP || is == HASHED_MAP) {
			put_iterated<true>(value, _tr_xq(0x12, type, value.size(), is == HASHED_MAP));
			_tr_xz();
		} else {
			const bool set = is == SET || is == HASHED_SET;
			_tr_u shown = _tr_xq(set ? 0x13 : 0x11, type, value.size(), is == HASHED_SET);
			put_iterated<false>(value, shown);
			_tr_xz();
		}
	}
};
