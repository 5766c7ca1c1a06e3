// What a kind of layer sees of a pass, and how one kind multiplies by the derivative of another.
#pragma once

#include "../workspace.hpp"

namespace chainrule::CHAINRULE_ISA {

template <typename T, int BYTES> struct Context {
    using W = Workspace<T, BYTES>;
    using S = Simd<T, BYTES>;

    const Network &net;
    T *theta;
    W &ws;
    bool training; // keep what the way back and the gradients need
    bool stepping; // in training steps dropout drops, and batches have statistics of their own

    // Layers are counted from 1.
    const Layer &layer(int l) const { return net.layers[l - 1]; }
    T *block(int l, int b) const { return theta + layer(l).blocks[b].offset; }
    Through through(int l) const { return ws.place[l].through; }

    T *at(long panel, long offset) const { return ws.panel(panel) + offset; }
    // Examples of the q-th of some panels.
    long count(const PanelSpan &some, long q) const {
        return q + 1 < some.count ? ws.panel_size : some.last_count;
    }
    // δ[l−1] of a panel of a kind without weights, from the vectors of ∂C/∂A[l−1] of a unit, that
    // is, of a row.
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

    // Where σ is of a whole layer, δ[l] from ∂C/∂A[l], which stands in D.
    void error_of_whole(int l, const PanelSpan &some, long q) const {
        if (through(l) != Through::jacobian) return;
        const Place &own = ws.place[l];
        Activations<T, BYTES>::error(layer(l).activation, at(some.first + q, own.D),
                                     at(some.first + q, own.A), layer(l).n_out, ws.ld,
                                     vectors(count(some, q)));
    }

    // F2 alone, of every panel: A holds Z and becomes A; D becomes σ′(Z) where it is kept.
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
