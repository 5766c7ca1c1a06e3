// The order of the examples in an epoch: the compiled twin of chainrule.network.random.epoch_order.
#pragma once

#include <cstdint>
#include <utility>

namespace chainrule {

// Static: each file that includes it has its own copy, compiled for that file's instruction set.
static inline std::uint64_t mixed(std::uint64_t x) {
    x += 0x9e3779b97f4a7c15u;
    x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9u;
    x = (x ^ (x >> 27)) * 0x94d049bb133111ebu;
    return x ^ (x >> 31);
}

static inline void epoch_order(std::uint64_t key, std::uint64_t epoch, std::int32_t n,
                               std::int32_t *order) {
    const std::uint64_t start = mixed(key ^ mixed(epoch));
    for (std::int32_t i = 0; i < n; ++i)
        order[i] = i;
    for (std::int32_t i = n - 1; i > 0; --i) {
        const double u = double(mixed(start + std::uint64_t(i)) >> 11) * 0x1p-53;
        std::swap(order[i], order[static_cast<std::int32_t>(u * double(i + 1))]);
    }
}

// The shuffle of numpy.random.RandomState; `next` returns the generator's next 32 random bits.
template <typename Next>
static inline void shuffled_as_numpy(std::int32_t n, std::int32_t *order, Next &&next) {
    for (std::int32_t i = 0; i < n; ++i)
        order[i] = i;
    std::uint32_t mask = 0; // as many low bits as the numbers up to i need
    for (std::int32_t i = n - 1; i > 0; --i) {
        if (mask / 2 >= std::uint32_t(i) || mask == 0) {
            mask = std::uint32_t(i);
            for (int shift = 1; shift < 32; shift *= 2)
                mask |= mask >> shift;
        }
        std::uint32_t j;
        do
            j = next() & mask;
        while (j > std::uint32_t(i));
        std::swap(order[i], order[j]);
    }
}

} // namespace chainrule
