// How a batch is cut, where its arrays lie, and how many threads it is worth. Nothing here depends
// on the number of threads but that number itself: panels and groups are the same for any.
#pragma once

#include <cstdlib>

#include "plan.hpp"
#include "product.hpp"

namespace chainrule::CHAINRULE_ISA {

CHAINRULE_INLINE long smaller(long a, long b) {
    return a < b ? a : b;
}
CHAINRULE_INLINE long larger(long a, long b) {
    return a > b ? a : b;
}
CHAINRULE_INLINE long divided_up(long a, long b) {
    return (a + b - 1) / b;
}
CHAINRULE_INLINE long rounded_up(long a, long b) {
    return divided_up(a, b) * b;
}

// Rows of one W (and its b) that a thread handles at a time.
struct Group {
    int layer;
    long begin, end;
};

template <typename T, int BYTES> struct Workspace {
    using S = Simd<T, BYTES>;
    static constexpr long chunk = Products<T, BYTES>::chunk;

    long panel_size = 0;   // examples
    long ld = 0;           // panel_size in whole vectors
    long panel_stride = 0; // elements from a panel's arrays to the next panel's
    long panels = 0;       // that have arrays at the same time
    long *A = nullptr, *D = nullptr, *At = nullptr; // offsets in a panel, by layer
    long Y = 0, scale = 0, costs = 0;
    T *memory = nullptr;
    double *panel_costs = nullptr;
    Group *groups = nullptr;
    double *group_squares = nullptr;
    long group_count = 0, group_elements = 0;
    // Copies of large W in the order in which products read them, by layer; nullptr: W itself.
    T **packed_W = nullptr, **packed_Wt = nullptr;
    int packed_layers = 0;

    ~Workspace() {
        std::free(A);
        std::free(memory);
        std::free(panel_costs);
        std::free(groups);
        std::free(group_squares);
        for (int l = 0; l < packed_layers; ++l) {
            std::free(packed_W[l]);
            std::free(packed_Wt[l]);
        }
        std::free(packed_W);
        std::free(packed_Wt);
    }

    // False: out of memory.
    bool prepare(const Network &net, long batch, long most_panels, bool training) {
        const DenseLayer *layers = net.layers;
        // Panels of one tile's width keep B in the fastest cache; a batch of that size or less is
        // halved where a step is long enough for a second thread.
        panel_size = smaller(batch, chunk);
        if (batch <= chunk && batch >= 2 * S::lanes && step_work(net, batch) > thread_work) {
            panel_size = rounded_up(divided_up(batch, 2), S::lanes);
        }
        ld = rounded_up(panel_size, S::lanes);
        panels = smaller(divided_up(batch, panel_size), most_panels);

        A = static_cast<long *>(std::malloc(sizeof(long) * 3 * (net.count + 1)));
        if (!A) return false;
        D = A + net.count + 1;
        At = D + net.count + 1;
        long size = 0;
        const auto take = [&](long elements) {
            const long start = size;
            size += rounded_up(elements, 64 / static_cast<long>(sizeof(T)));
            return start;
        };
        for (int l = 0; l <= net.count; ++l) {
            const long n = l ? layers[l - 1].n_out : layers[0].n_in;
            A[l] = take(n * ld);
            D[l] = training && l ? take(n * ld) : 0;
            At[l] = training && l < net.count ? take(rounded_up(n, chunk) * ld) : 0;
        }
        const long n_out = layers[net.count - 1].n_out;
        Y = take(n_out * ld);
        scale = take(ld);
        costs = take(ld);
        panel_stride = size + 64 / static_cast<long>(sizeof(T)); // not a power of two
        memory = allocate<T>(panel_stride * panels + chunk);
        panel_costs = allocate<double>(larger(divided_up(batch, panel_size), 1));
        return memory && panel_costs &&
               (!training || (prepare_packing(net) && prepare_groups(net)));
    }

    // About 4096 elements a group: small layers are one group, larger ones divide well.
    bool prepare_groups(const Network &net) {
        for (int pass = 0; pass < 2; ++pass) {
            long count = 0;
            for (int l = 0; l < net.count; ++l) {
                const DenseLayer &layer = net.layers[l];
                const long some = 4096 / layer.n_in / interleaved * interleaved;
                const long rows = smaller(larger(some, interleaved), layer.n_out);
                for (long r = 0; r < layer.n_out; r += rows, ++count) {
                    const long end = smaller(r + rows, layer.n_out);
                    if (pass) groups[count] = {l, r, end};
                    group_elements = larger(group_elements, (end - r) * (layer.n_in + 1));
                }
            }
            if (pass) break;
            group_count = count;
            groups = allocate<Group>(count);
            group_squares = allocate<double>(count);
            if (!groups || !group_squares) return false;
        }
        return true;
    }

    // Rows of a packed copy that lie interleaved: those of the tallest tile.
    static constexpr long interleaved = Products<T, BYTES>::tallest(Products<T, BYTES>::widest);

    // A W beyond the second-level cache is read in strides otherwise: rows of W by the forward
    // product, columns by the one of BP2, a cache line for each number.
    bool prepare_packing(const Network &net) {
        packed_W = allocate<T *>(net.count);
        packed_Wt = allocate<T *>(net.count);
        if (!packed_W || !packed_Wt) return false;
        packed_layers = net.count;
        for (int l = 0; l < net.count; ++l) {
            const long n_in = net.layers[l].n_in, n_out = net.layers[l].n_out;
            if (n_in * n_out < 1L << 18) continue;
            packed_W[l] = allocate<T>(rounded_up(n_out, interleaved) * n_in);
            if (!packed_W[l]) return false;
            if (l == 0) continue;
            packed_Wt[l] = allocate<T>(rounded_up(n_in, interleaved) * n_out);
            if (!packed_Wt[l]) return false;
        }
        return true;
    }

    // The copies of rows [begin, end) of W[l].
    void pack(const Network &net, const T *theta, const Group &group) {
        const long n_in = net.layers[group.layer].n_in, n_out = net.layers[group.layer].n_out;
        const T *W = theta + net.layers[group.layer].W;
        if (T *to = packed_W[group.layer]) {
            for (long r = group.begin; r < group.end; ++r) {
                T *row = to + (r - r % interleaved) * n_in + r % interleaved;
                for (long k = 0; k < n_in; ++k)
                    row[k * interleaved] = W[r * n_in + k];
            }
        }
        if (T *to = packed_Wt[group.layer]) {
            for (long k = 0; k < n_in; k += interleaved) {
                const long wide = smaller(interleaved, n_in - k);
                for (long r = group.begin; r < group.end; ++r) {
                    T *row = to + k * n_out + r * interleaved;
                    for (long i = 0; i < wide; ++i)
                        row[i] = W[r * n_in + k + i];
                }
            }
        }
    }

    template <typename U> static U *allocate(long count) {
        const unsigned long bytes = static_cast<unsigned long>(count) * sizeof(U);
        void *p = std::aligned_alloc(64, (bytes / 64 + 1) * 64);
        if (p) std::memset(p, 0, bytes);
        return static_cast<U *>(p);
    }

    // Multiplications of one step, and from how many on a second thread pays: two barriers cost up
    // to 16 µs, in which one core multiplies about half a million times.
    static constexpr double thread_work = 2e6;
    static double step_work(const Network &net, long batch) {
        double work = 0;
        for (int l = 0; l < net.count; ++l) {
            const double W = double(net.layers[l].n_in) * net.layers[l].n_out;
            work += W * (batch * (l ? 3.0 : 2.0) + 16);
        }
        return work;
    }
};

} // namespace chainrule::CHAINRULE_ISA
