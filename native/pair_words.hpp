// Factors of Newton–Schulz's products as pairs of bfloat16 numbers (newton_schulz.hpp).
#pragma once

#include "newton_schulz.hpp"
#include "pair_products.hpp"

namespace chainrule::CHAINRULE_ISA {

struct PairWords {
    static constexpr long per = 2;
    using Arithmetic = PairProducts;

    static void neighbours(const float *from, long count, float *words) {
        pair_neighbours(from, count, words);
    }
    static void rows(const float *from, long stride, long rows, long width, float *words, long ld) {
        pair_rows(from, stride, rows, width, words, ld);
    }
};

} // namespace chainrule::CHAINRULE_ISA
