// The eight tile registers of AMX, each of 16 rows with 16 words, and the product of two tiles.
//
// A word is a float32 number or two bfloat16 numbers (bfloat16.hpp). Builds for CPUs
// without such registers have the same operations in plain C++, with the same bits: Intel's
// Software Developer's Manual, volume 2, TDPBF16PS, specifies the order of the additions.
#pragma once

#include <cstring>

#include "simd.hpp"

namespace chainrule::CHAINRULE_ISA {

constexpr long tile_rows = 16;  // also the words of a row
constexpr long tile_depth = 32; // bfloat16 numbers of a row
constexpr long tile_words = tile_rows * tile_rows;

#if defined(__AMX_BF16__)

// Configures the thread's tile registers for the lifetime of the object.
class Tiles {
  public:
    Tiles() {
        struct alignas(64) {
            unsigned char palette = 1, start_row = 0, reserved[14] = {};
            unsigned short bytes[16] = {64, 64, 64, 64, 64, 64, 64, 64};
            unsigned char rows[16] = {16, 16, 16, 16, 16, 16, 16, 16};
        } shape;
        static_assert(sizeof shape == 64);
        asm volatile("ldtilecfg %0" : : "m"(shape));
    }
    ~Tiles() { asm volatile("tilerelease"); }
    Tiles(const Tiles &) = delete;

    template <int I> void zero() { asm volatile("tilezero %%tmm%c0" : : "i"(I)); }
    // `stride`: words from a row to the next.
    template <int I> void load(const float *from, long stride) {
        asm volatile("tileloadd (%0,%1,4), %%tmm%c2" : : "r"(from), "r"(stride), "i"(I) : "memory");
    }
    template <int I> void store(float *to, long stride) const {
        asm volatile("tilestored %%tmm%c2, (%0,%1,4)" : : "r"(to), "r"(stride), "i"(I) : "memory");
    }
    // C[m, n] += Σₖ (A[m, k] · B[k, n]), where the product of two words is a sum of two products.
    template <int C, int A, int B> void multiply() {
        asm volatile("tdpbf16ps %%tmm%c2, %%tmm%c1, %%tmm%c0" : : "i"(C), "i"(A), "i"(B));
    }
};

#else

class Tiles {
  public:
    Tiles() = default;
    Tiles(const Tiles &) = delete;

    template <int I> void zero() { std::memset(tile_[I], 0, sizeof tile_[I]); }
    template <int I> void load(const float *from, long stride) {
        for (int m = 0; m < 16; ++m)
            std::memcpy(tile_[I][m], from + m * stride, sizeof tile_[I][m]);
    }
    template <int I> void store(float *to, long stride) const {
        for (int m = 0; m < 16; ++m)
            std::memcpy(to + m * stride, tile_[I][m], sizeof tile_[I][m]);
    }
    template <int C, int A, int B> void multiply() {
        for (int m = 0; m < 16; ++m) {
            // The lower and the upper halves of the words have separate sums, as TDPBF16PS
            // specifies.
            float first[16] = {}, second[16] = {};
            for (int k = 0; k < 16; ++k) {
                const float a = lower(tile_[A][m][k]), b = upper(tile_[A][m][k]);
                for (int n = 0; n < 16; ++n) {
                    first[n] = __builtin_fmaf(a, lower(tile_[B][k][n]), first[n]);
                    second[n] = __builtin_fmaf(b, upper(tile_[B][k][n]), second[n]);
                }
            }
            for (int n = 0; n < 16; ++n) {
                const float both = first[n] + second[n];
                std::uint32_t bits = tile_[C][m][n];
                float sum;
                std::memcpy(&sum, &bits, sizeof sum);
                sum += both;
                std::memcpy(&tile_[C][m][n], &sum, sizeof sum);
            }
        }
    }

  private:
    static float number(std::uint32_t bits) {
        float x;
        std::memcpy(&x, &bits, sizeof x);
        return x;
    }
    static float lower(std::uint32_t word) { return number(word << 16); }
    static float upper(std::uint32_t word) { return number(word & 0xffff0000u); }

    std::uint32_t tile_[8][16][16];
};

#endif

} // namespace chainrule::CHAINRULE_ISA
