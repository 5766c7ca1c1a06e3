// What a kind of layer sees of a pass, and how one kind multiplies by the derivative of another.
#pragma once

#include "../activations.hpp"
#include "../outputs.hpp"
#include "../workspace.hpp"

namespace chainrule::CHAINRULE_ISA {

// What turns ∂C/∂A[l] into δ[l]: the second factor of BP2.
enum Through { as_it_is, relu_mask, derivative, softmax_jacobian };

template <typename T, int BYTES> struct Context {
    using W = Workspace<T, BYTES>;
    using S = Simd<T, BYTES>;

    const Network &net;
    T *theta;
    W &ws;
    bool training; // keep what the way back and the gradients need
    bool stepping; // in training steps dropout drops, and batches have statistics of their own

    const Layer &layer(int l) const { return net.layers[l - 1]; }
    const T *parameters(int l) const { return theta + layer(l).begin; }

    T *at(long panel, long offset) const { return ws.panel(panel) + offset; }
    long count(const Block &b, long q) const {
        return q + 1 < b.panels ? ws.panel_size : b.last_count;
    }
    // δ[l−1] of a panel of a kind without weights, from the vectors of ∂C/∂A[l−1] of a unit, that
    // is, of a row.
    template <typename Error>
    void error_below(int l, const Block &b, long q, Error &&error_of) const {
        const Place &below = ws.place[l - 1];
        const T *A = at(b.first + q, below.A);
        T *D = at(b.first + q, below.D);
        const long n = layer(l).n_in;
        const Through way = through(l - 1);
        for (long j = 0; j < n; ++j) {
            const auto error = error_of(j);
            for (long e = 0, i = j * ws.ld; e < ws.ld; e += S::lanes, i += S::lanes) {
                typename S::V d = error(e);
                if (way == relu_mask) {
                    d = S::select(S::load(A + i) > T(0), d, typename S::V{});
                } else if (way == derivative) {
                    d *= S::load(D + i);
                }
                S::store(D + i, d);
            }
        }
        if (way == softmax_jacobian)
            Outputs<T, BYTES>::softmax_error(D, A, n, ws.ld, vectors(count(b, q)));
    }

    static long vectors(long examples) { return divided_up(examples, S::lanes); }

    Through through(int l) const {
        const Layer &x = layer(l);
        if (x.kind == dropout) return derivative;
        return x.activation == relu       ? relu_mask
               : x.activation == identity ? as_it_is
               : x.activation == softmax  ? softmax_jacobian
                                          : derivative;
    }
};

} // namespace chainrule::CHAINRULE_ISA
