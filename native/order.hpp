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

// The shuffle of numpy.random.RandomState, of the n numbers in `order`; `next` returns the
// generator's next 32 random bits. `places` is scratch memory for n numbers.
template <typename Next>
static inline void shuffle_as_numpy(std::int32_t n, std::int32_t *order, std::uint32_t *places,
                                    Next &&next) {
    std::uint32_t mask = ~0u; // as many low bits as the numbers up to i need
    // A number that is too large is overwritten by the next one. A branch would be taken at random,
    // which no CPU can predict.
    for (std::uint32_t i = n > 0 ? std::uint32_t(n) - 1 : 0; i > 0;) {
        while (mask / 2 >= i)
            mask /= 2;
        places[i] = next() & mask;
        i -= places[i] <= i;
    }
    for (std::int32_t i = n - 1; i > 0; --i)
        std::swap(order[i], order[places[i]]);
}

} // namespace chainrule
