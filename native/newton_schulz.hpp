// The compiled twin of chainrule.equations.optimizers.orthogonalised, O10: X = G/(‖G‖ + ε), and
// five times X ← (a + b A + c A²) X with A = X Xᵀ.
//
// X has at most as many rows as columns: a taller G is transposed on the way in and out. A and A²
// are symmetric, so only the blocks on and below the diagonal are computed. Each phase of a step is
// divided into blocks of rows, which any threads may take, with a barrier before the next phase.
//
// A factor of a product is stored in words: numbers of T (PlainWords), or pairs of bfloat16 numbers
// whose products are summed in float32 (pair_words.hpp). A left factor has the words of neighbours
// in a row, a right factor the words of neighbours in a column; every C[r, v] is one chain of
// additions, so that C[r, v] and C[v, r] of a symmetric product have the same bits.
#pragma once

#include "memory.hpp"
#include "plan.hpp"
#include "product.hpp"
#include "transpose.hpp"

namespace chainrule::CHAINRULE_ISA {

template <typename T> struct PlainWords {
    static constexpr long per = 1; // numbers in a word
    using Arithmetic = MultiplyAdd<T, CHAINRULE_BYTES>;

    static void neighbours(const T *from, long count, T *words) {
        std::memcpy(words, from, sizeof(T) * static_cast<unsigned long>(count));
    }
    static void rows(const T *from, long stride, long rows, long width, T *words, long ld) {
        for (long r = 0; r < rows; ++r)
            neighbours(from + r * stride, width, words + r * ld);
    }
};

template <typename T, typename Words> struct NewtonSchulz {
    using S = Simd<T, CHAINRULE_BYTES>;
    using V = typename S::V;
    using P = Products<T, CHAINRULE_BYTES, typename Words::Arithmetic>;

    static constexpr long block = 32; // rows; whole vectors, and whole words
    static constexpr double a = 3.4445, b = -4.7750, c = 2.0315;

    static long blocks(long n) { return divided_up(n, block); }
    static long words(long numbers) { return divided_up(numbers, Words::per); }
    // Rows of whole vectors, whose distance is no power of two: that would map a column's numbers
    // to the same cache sets.
    static long padded(long numbers) { return rounded_up(numbers, 16) + 16; }

    static long elements(long n, long m) { return Arrays(n, m, nullptr).size; }
    static long scratch(long n) { return (block + block / Words::per) * padded(n); }

    static void run(const Orthogonal<T> &G, int phase, long item, T *scratch) {
        const Arrays x(G.n, G.m, G.memory);
        const long begin = item * block, end = smaller(begin + block, G.n);
        if (phase == 0) return normalised(G, x, begin, end);
        const int step = (phase - 1) / 3;
        switch ((phase - 1) % 3) {
        case 0:
            return gram(x, begin, end);
        case 1:
            return polynomial(x, begin, end, scratch);
        default:
            advance(G, x, step, begin, end);
        }
    }

  private:
    // The arrays of a matrix. `ld_…`: words from a row to the next.
    struct Arrays {
        long n, m, size = 0;
        long ld_m, ld_n, ld_left, ld_A;
        T *X;        // in numbers
        T *left;     // X, left factor of A
        T *right;    // Xᵀ, right factor of A
        T *above[2]; // X, right factor of the next X: before and after a step
        T *A;        // in numbers, on and below the diagonal
        T *A_left, *A_right, *B_left;

        Arrays(long rows, long columns, T *memory)
            : n(rows), m(columns), ld_m(padded(columns)), ld_n(padded(rows)),
              ld_left(padded(words(columns))), ld_A(padded(words(rows))) {
            const auto take = [&](long count) {
                T *at = memory + size;
                size += rounded_up(count, 64);
                return at;
            };
            X = take(n * ld_m);
            left = take(n * ld_left);
            right = take(words(m) * ld_n);
            above[0] = take(words(n) * ld_m);
            above[1] = take(words(n) * ld_m);
            A = take(n * ld_n);
            A_left = take(n * ld_A);
            A_right = take(words(n) * ld_n);
            B_left = take(n * ld_A);
        }
    };

    // to[k, r] = from[r, k]
    static void turn(const T *from, long ld, long rows, long columns, T *to, long ld_to) {
        for (long r = 0; r < rows; r += S::lanes) {
            const long down = smaller(S::lanes, rows - r);
            for (long k = 0; k < columns; k += S::lanes) {
                const long wide = smaller(S::lanes, columns - k);
                V x[S::lanes];
                for (long i = 0; i < S::lanes; ++i) {
                    const T *row = from + (r + i) * ld + k;
                    x[i] = i >= down          ? V{}
                           : wide == S::lanes ? S::load(row)
                                              : S::load_part(row, static_cast<int>(wide));
                }
                Transpose<T, CHAINRULE_BYTES>::block(x);
                for (long i = 0; i < wide; ++i) {
                    T *row = to + (k + i) * ld_to + r;
                    if (down == S::lanes) {
                        S::store(row, x[i]);
                    } else {
                        S::store_part(row, x[i], static_cast<int>(down));
                    }
                }
            }
        }
    }

    // Rows [begin, end) of X = G/(‖G‖ + ε).
    static void normalised(const Orthogonal<T> &G, const Arrays &x, long begin, long end) {
        double squares = 0;
        for (long r = 0; r < G.rows(); ++r)
            squares += G.squares[r];
        const T norm = T(__builtin_sqrt(squares)) + T(G.epsilon);
        if (G.turned) turn(G.G + begin, x.n, x.m, end - begin, x.X + begin * x.ld_m, x.ld_m);
        for (long r = begin; r < end; ++r) {
            T *to = x.X + r * x.ld_m;
            const T *from = G.turned ? to : G.G + r * x.m;
            for (long k = 0; k < x.m; ++k)
                to[k] = from[k] / norm;
        }
        put(x, 0, begin, end);
    }

    // Stores rows of X as factors of the products of a step.
    static void put(const Arrays &x, int step, long begin, long end) {
        const T *X = x.X + begin * x.ld_m;
        for (long r = begin; r < end; ++r)
            Words::neighbours(x.X + r * x.ld_m, x.m, x.left + r * x.ld_left);
        Words::rows(X, x.ld_m, end - begin, rounded_up(x.m, 16),
                    x.above[step % 2] + begin / Words::per * x.ld_m, x.ld_m);
        turn(x.left + begin * x.ld_left, x.ld_left, end - begin, words(x.m), x.right + begin,
             x.ld_n);
    }

    // Rows of A = X Xᵀ.
    static void gram(const Arrays &x, long begin, long end) {
        T *A = x.A + begin * x.ld_n;
        lower(x.left, x.ld_left, x.right, x.ld_n, words(x.m), A, begin, end);
        put_symmetric(x, A, begin, end, x.A_left, x.A_right + begin / Words::per * x.ld_n);
        mirror(x.A_left + begin * x.ld_A, x.ld_A, end - begin, begin / Words::per,
               x.A_right + begin, x.ld_n);
    }

    // Rows of B = b A + c A².
    static void polynomial(const Arrays &x, long begin, long end, T *scratch) {
        lower(x.A_left, x.ld_A, x.A_right, x.ld_n, words(x.n), scratch, begin, end);
        for (long r = begin; r < end; ++r) {
            T *B = scratch + (r - begin) * x.ld_n;
            const T *A = x.A + r * x.ld_n;
            for (long k = 0; k < end; ++k)
                B[k] = T(b) * A[k] + T(c) * B[k];
        }
        put_symmetric(x, scratch, begin, end, x.B_left, scratch + block * x.ld_n);
    }

    // Rows of X ← a X + B X. The first term has the precision of T: rounded to words, X would have
    // errors in directions in which it is small itself, which the next steps make as large as X.
    static void advance(const Orthogonal<T> &G, const Arrays &x, int step, long begin, long end) {
        T *X = x.X + begin * x.ld_m;
        for (long i = 0; i < (end - begin) * x.ld_m; ++i)
            X[i] *= T(a);
        Product<T> product{x.B_left + begin * x.ld_A,
                           x.ld_A,
                           1,
                           0,
                           x.above[step % 2],
                           x.ld_m,
                           1,
                           words(x.n),
                           words(x.n),
                           X,
                           x.ld_m};
        product.parts = X;
        P::template run<store_plain, true>(product, 0, end - begin, divided_up(x.m, S::lanes));
        if (step + 1 < newton_schulz_steps) return put(x, step + 1, begin, end);
        if (G.turned) return turn(X, x.ld_m, end - begin, x.m, G.G + begin, x.n);
        for (long r = begin; r < end; ++r)
            std::memcpy(G.G + r * x.m, x.X + r * x.ld_m,
                        sizeof(T) * static_cast<unsigned long>(x.m));
    }

    static void multiply(const Product<T> &product, long rows, long columns) {
        const long vectors = divided_up(columns, S::lanes);
        P::template blocked<store_plain>(product, rows, 1, 0, vectors, vectors);
    }

    // Rows [begin, end) of a symmetric product, up to the diagonal and beyond it up to `end`, into
    // C, whose rows are as far apart as those of `right`.
    static void lower(const T *left, long ld_left, const T *right, long ld, long depth, T *C,
                      long begin, long end) {
        Product<T> product{
            left + begin * ld_left, ld_left, 1, 0, right, ld, 1, depth, depth, C, ld};
        const long whole = begin / P::chunk * P::chunk;
        if (whole) multiply(product, end - begin, whole);
        product.B += whole;
        product.C += whole;
        constexpr long band = 12; // whole tiles of all widths
        for (long r = begin; r < end; r += band) {
            const long last = smaller(r + band, end);
            multiply(product, last - r, last - whole);
            product.A += band * ld_left;
            product.C += band * ld;
        }
        for (long r = begin; r < end; ++r) {
            for (long k = r + 1; k < end; ++k)
                C[(r - begin) * ld + k] = C[(k - begin) * ld + r];
        }
    }

    // Stores the words of rows [begin, end) of a symmetric matrix, of which C has what is below the
    // diagonal: as rows of a left factor, and of a right factor in `pairs`. What is right of the
    // diagonal, in the rows above, is the transpose of `pairs`.
    static void put_symmetric(const Arrays &x, const T *C, long begin, long end, T *left,
                              T *pairs) {
        for (long r = begin; r < end; ++r)
            Words::neighbours(C + (r - begin) * x.ld_n, end, left + r * x.ld_A);
        Words::rows(C, x.ld_n, end - begin, rounded_up(end, 16), pairs, x.ld_n);
        mirror(pairs, x.ld_n, words(end - begin), begin, left + begin / Words::per, x.ld_A);
    }
    static void mirror(const T *from, long ld, long rows, long columns, T *to, long ld_to) {
        turn(from, ld, rows, columns, to, ld_to);
    }
};

template <typename T, typename Words>
constexpr Orthogonaliser<T> orthogonaliser_of{
    NewtonSchulz<T, Words>::blocks, NewtonSchulz<T, Words>::elements,
    NewtonSchulz<T, Words>::scratch, NewtonSchulz<T, Words>::run};

} // namespace chainrule::CHAINRULE_ISA
