#include "finite.hpp"

#include <algorithm>
#include <cstdint>
#include <type_traits>

#include "cpu.hpp"
#include "team.hpp"

namespace chainrule {

namespace {

// The bits of numbers of type T, and the bits of their exponents, which are all set exactly in NaN
// and infinite numbers.
template <typename T>
using BitsOf = std::conditional_t<sizeof(T) == 4, std::uint32_t, std::uint64_t>;
template <typename T>
constexpr BitsOf<T> exponent = sizeof(T) == 4 ? BitsOf<T>(0x7f800000) : BitsOf<T>(0x7ff) << 52;

template <typename T>
inline __attribute__((always_inline)) bool finite_part(const T *numbers, long n) {
    constexpr long bytes = 32, lanes = bytes / sizeof(T), together = 8;
    typedef BitsOf<T> V __attribute__((vector_size(bytes)));
    typedef BitsOf<T> Unaligned __attribute__((vector_size(bytes), aligned(alignof(T)), may_alias));
    const V mask = V{} + exponent<T>;
    V found[together] = {};
    long i = 0;
    for (; i + together * lanes <= n; i += together * lanes) {
        for (long j = 0; j < together; ++j) {
            const V bits = *reinterpret_cast<const Unaligned *>(numbers + i + j * lanes);
            found[j] |= V((bits & mask) == mask);
        }
    }
    BitsOf<T> any = 0;
    for (long j = 0; j < together; ++j)
        for (long k = 0; k < lanes; ++k)
            any |= found[j][k];
    for (; i < n; ++i) {
        BitsOf<T> bits;
        __builtin_memcpy(&bits, numbers + i, sizeof bits);
        any |= BitsOf<T>((bits & exponent<T>) == exponent<T>);
    }
    return any == 0;
}

template <typename T> using Part = bool (*)(const T *, long);

template <typename T> bool finite_plain(const T *numbers, long n) {
    return finite_part(numbers, n);
}

#if defined(CHAINRULE_X86)
// A core has only so many loads of memory in flight, so that larger ones bring more of it.
template <typename T> __attribute__((target("avx2"))) bool finite_avx2(const T *numbers, long n) {
    return finite_part(numbers, n);
}
#endif

template <typename T> Part<T> chosen_part() {
#if defined(CHAINRULE_X86)
    const auto features = cpu_features(cpu_words());
    if (std::find(features.begin(), features.end(), "avx2") != features.end())
        return finite_avx2<T>;
#endif
    return finite_plain<T>;
}

} // namespace

template <typename T> bool all_finite(const T *numbers, long n, int threads) {
    static const Part<T> part = chosen_part<T>();
    // A thread is worth waking for a megabyte.
    const long most = n * long(sizeof(T)) >> 20;
    if (most < 2 || threads < 2) return part(numbers, n);
    Workers workers(int(std::min<long>(threads, most)));
    struct Shared {
        const T *numbers;
        long n;
        int threads, infinite;
    } shared{numbers, n, workers.threads(), 0};
    workers.run(
        [](void *of, int thread) {
            Shared &all = *static_cast<Shared *>(of);
            const long first = all.n * thread / all.threads;
            const long last = all.n * (thread + 1) / all.threads;
            if (!part(all.numbers + first, last - first))
                __atomic_store_n(&all.infinite, 1, __ATOMIC_RELAXED);
        },
        &shared);
    return shared.infinite == 0;
}

template bool all_finite(const float *, long, int);
template bool all_finite(const double *, long, int);

} // namespace chainrule
