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

    const Layer &layer(int l) const { return net.layers[l - 1]; }
    const T *parameters(int l) const { return theta + layer(l).begin; }

    T *at(long panel, long offset) const { return ws.panel(panel) + offset; }
    long count(const Block &b, long q) const {
        return q + 1 < b.panels ? ws.panel_size : b.last_count;
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
