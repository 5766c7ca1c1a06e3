// Where the time of a step goes: a clock for each thread, whose laps are added up by part. Without
// CHAINRULE_PROFILE, which only benchmarks/breakdown.py defines, all of it is empty.
#pragma once

namespace chainrule {

// Parts of a step; benchmarks/breakdown.py names them in this order.
enum class Timed { gather, forward, cost, errors, gradients, updates, waiting, rest, count };

} // namespace chainrule

#ifndef CHAINRULE_PROFILE

namespace chainrule {

inline void begin_laps() {}
inline void lap(Timed) {}
inline void end_laps() {}

} // namespace chainrule

#else

#include <atomic>
#include <chrono>
#include <cstdint>
#ifdef __x86_64__
#include <x86intrin.h>
#endif

namespace chainrule {

inline std::uint64_t ticks() {
#ifdef __x86_64__
    return __rdtsc();
#else
    return std::uint64_t(std::chrono::steady_clock::now().time_since_epoch().count());
#endif
}

struct Laps {
    std::uint64_t since = 0, parts[int(Timed::count)] = {};
};
inline thread_local Laps own_laps;
inline std::atomic<std::uint64_t> all_laps[int(Timed::count)];

inline void begin_laps() {
    own_laps = {};
    own_laps.since = ticks();
}

// The time since the last lap was spent on this part.
inline void lap(Timed part) {
    const std::uint64_t now = ticks();
    own_laps.parts[int(part)] += now - own_laps.since;
    own_laps.since = now;
}

inline void end_laps() {
    lap(Timed::rest);
    for (int i = 0; i < int(Timed::count); ++i)
        all_laps[i] += own_laps.parts[i];
}

// Takes the sums over all threads since the last call, for Python's ctypes.
extern "C" __attribute__((visibility("default"), used)) inline void
chainrule_profile(std::uint64_t *parts) {
    for (int i = 0; i < int(Timed::count); ++i)
        parts[i] = all_laps[i].exchange(0);
}

} // namespace chainrule

#endif
