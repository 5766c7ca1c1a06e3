// The data of a pass that the kinds of layer read, and the multiplication by the derivative of the
// layer below.
#pragma once

#include "../workspace.hpp"

namespace chainrule::CHAINRULE_ISA {

template <typename T, int BYTES> struct Context {
    using W = Workspace<T, BYTES>;
    using S = Simd<T, BYTES>;

    const Network &net;
    T *theta;
    W &ws;
    bool training; // store what backpropagation and the gradients need
    bool stepping; // a training step: dropout is active, BN uses the batch's statistics

    // Layers are counted from 1.
    const Layer &layer(int l) const { return net.layers[l - 1]; }
    T *block(int l, int b) const { return theta + layer(l).blocks[b].offset; }
    Through through(int l) const { return ws.place[l].through; }

    T *at(long panel, long offset) const { return ws.panel(panel) + offset; }
    // The number of examples in the q-th panel of a span.
    long count(const PanelSpan &some, long q) const {
        return q + 1 < some.count ? ws.panel_size : some.last_count;
    }
    // δ[l−1] of a panel, for kinds without weights. error_of(j) returns a function that gives the
    // vectors of ∂C/∂A[l−1] of unit j.
    template <typename Error>
    void error_below(int l, const PanelSpan &some, long q, Error &&error_of) const {
        const Place &below = ws.place[l - 1];
        const T *A = at(some.first + q, below.A);
        T *D = at(some.first + q, below.D);
        const long n = layer(l).n_in;
        const Through way = through(l - 1);
        for (long j = 0; j < n; ++j) {
            const auto error = error_of(j);
            for (long e = 0, i = j * ws.ld; e < ws.ld; e += S::lanes, i += S::lanes) {
                typename S::V d = error(e);
                if (way == Through::rectifier) {
                    d = S::select(S::load(A + i) > T(0), d, typename S::V{});
                } else if (way == Through::derivative) {
                    d *= S::load(D + i);
                }
                S::store(D + i, d);
            }
        }
        error_of_whole(l - 1, some, q);
    }

    // If σ couples the units of layer l: δ[l] from ∂C/∂A[l], in place in D.
    void error_of_whole(int l, const PanelSpan &some, long q) const {
        if (through(l) != Through::jacobian) return;
        const Place &own = ws.place[l];
        Activations<T, BYTES>::error(layer(l).activation, at(some.first + q, own.D),
                                     at(some.first + q, own.A), layer(l).n_out, ws.ld,
                                     vectors(count(some, q)));
    }

    // F2 alone, for each panel of a span: A holds Z and becomes A; in training, D becomes σ′(Z).
    void activate(int l, const PanelSpan &some) const {
        for (long q = 0; q < some.count; ++q) {
            const long panel = some.first + q;
            Activations<T, BYTES>::apply(layer(l).activation, at(panel, ws.place[l].A),
                                         training ? at(panel, ws.place[l].D) : nullptr,
                                         layer(l).n_out, ws.ld, vectors(count(some, q)));
        }
    }

    static long vectors(long examples) { return divided_up(examples, S::lanes); }
};

} // namespace chainrule::CHAINRULE_ISA
