// Phase 1 of a step: everything of one panel of examples that depends on those examples alone.
#pragma once

#include "activations.hpp"
#include "outputs.hpp"
#include "transpose.hpp"
#include "workspace.hpp"

namespace chainrule::CHAINRULE_ISA {

template <typename T, int BYTES> class Panels {
    using S = Simd<T, BYTES>;
    using P = Products<T, BYTES>;
    using V = typename S::V;
    using Act = Activations<T, BYTES>;
    using Out = Outputs<T, BYTES>;
    using W = Workspace<T, BYTES>;
    static constexpr long chunk = W::chunk;

  public:
    // `training`: keep what the way back and the gradients need.
    Panels(const Network &net, const T *theta, const Examples<T> &examples, const W &workspace,
           bool training)
        : net_(net), theta_(theta), examples_(examples), ws_(workspace), training_(training) {}

    long row_of(long i) const { return examples_.order ? examples_.order[i] : i; }

    double weight_of(long i) const {
        return examples_.weights ? double(examples_.weights[row_of(i)]) : 1.0;
    }

    // A[0] = Xᵀ of a panel's examples, and, for the gradient of W[1], their rows in chunks.
    void gather(T *base, long first, long count) const {
        const long n = net_.layers[0].n_in, total = examples_.rows * n;
        T *A = base + ws_.A[0], *At = training_ ? base + ws_.At[0] : nullptr;
        for (long e = 0; e < count; e += S::lanes) {
            const T *row[S::lanes];
            for (int i = 0; i < S::lanes; ++i) {
                row[i] = e + i < count ? examples_.X + row_of(first + e + i) * n : nullptr;
            }
            for (long k = 0; k < n; k += S::lanes) {
                V x[S::lanes];
                for (int i = 0; i < S::lanes; ++i) {
                    if (!row[i]) {
                        x[i] = V{};
                    } else if (row[i] - examples_.X + k + S::lanes <= total) {
                        x[i] = S::load(row[i] + k); // may reach into the next row: never used
                    } else {
                        x[i] = S::load_part(row[i] + k, static_cast<int>(n - k));
                    }
                }
                if (At) {
                    T *to = At + (k / chunk) * ws_.ld * chunk + e * chunk + k % chunk;
                    for (int i = 0; i < S::lanes; ++i)
                        S::store(to + i * chunk, x[i]);
                }
                Transpose<T, BYTES>::block(x);
                const long features = smaller(S::lanes, n - k);
                for (long j = 0; j < features; ++j)
                    S::store(A + (k + j) * ws_.ld + e, x[j]);
            }
        }
    }

    // F1 and F2 up to the output layer's Z.
    void forward(T *base, long count) const {
        const long vectors = divided_up(count, S::lanes);
        for (int l = 1; l <= net_.count; ++l) {
            const DenseLayer &layer = net_.layers[l - 1];
            T *A = base + ws_.A[l];
            Product<T> product{theta_ + layer.W,    layer.n_in, 1,      0,
                               base + ws_.A[l - 1], ws_.ld,     1,      layer.n_in,
                               layer.n_in,          A,          ws_.ld, theta_ + layer.b};
            if (training_) use_packed(product, ws_.packed_W[l - 1]);
            if (layer.activation == relu && l < net_.count) {
                P::template run<store_relu>(product, 0, layer.n_out, vectors);
                continue;
            }
            P::template run<store_biased>(product, 0, layer.n_out, vectors);
            if (l == net_.count || layer.activation == identity) continue;
            if (layer.activation == softmax) {
                for (long v = 0; v < vectors; ++v) {
                    Out::softmax_columns(A + v * S::lanes, layer.n_out, ws_.ld);
                }
            } else {
                Act::apply(layer.activation, A, training_ ? base + ws_.D[l] : nullptr,
                           layer.n_out * ws_.ld, T(layer.parameter));
            }
        }
    }

    // Cost of a panel, Σ w C, and δ[L] scaled by each example's share of the mean.
    double output(T *base, long first, long count, double share) const {
        const int n = net_.layers[net_.count - 1].n_out;
        T *Y = base + ws_.Y, *scale = base + ws_.scale, *costs = base + ws_.costs;
        for (long i = 0; i < count; ++i) {
            const long row = row_of(first + i);
            for (int j = 0; j < n; ++j)
                Y[j * ws_.ld + i] = examples_.Y[row * n + j];
            scale[i] = T(share * weight_of(first + i));
        }
        for (long i = count; i < ws_.ld; ++i)
            scale[i] = T(0);
        Out::run(net_, base + ws_.A[net_.count], Y, training_ ? base + ws_.D[net_.count] : nullptr,
                 scale, costs, ws_.ld, divided_up(count, S::lanes));
        double sum = 0;
        for (long i = 0; i < count; ++i) {
            const double w = weight_of(first + i);
            if (w != 0) sum += w * double(costs[i]);
        }
        return sum;
    }

    // BP2 down to layer 1, and the turned activations for BP4.
    void backward(T *base, long count) const {
        const long vectors = divided_up(count, S::lanes);
        for (int l = net_.count; l > 1; --l) {
            const DenseLayer &layer = net_.layers[l - 1];
            const int below = net_.layers[l - 2].activation;
            T *A = base + ws_.A[l - 1], *D = base + ws_.D[l - 1];
            Product<T> product{theta_ + layer.W, 1,      layer.n_in, 0,
                               base + ws_.D[l],  ws_.ld, 1,          layer.n_out,
                               layer.n_out,      D,      ws_.ld,     A};
            use_packed(product, ws_.packed_Wt[l - 1]);
            if (below == relu) {
                P::template run<relu_masked>(product, 0, layer.n_in, vectors);
            } else if (below == identity || below == softmax) {
                P::template run<store_plain>(product, 0, layer.n_in, vectors);
                if (below == softmax) Out::softmax_error(D, A, layer.n_in, ws_.ld, vectors);
            } else {
                P::template run<times_derivative>(product, 0, layer.n_in, vectors);
            }
            turn(A, base + ws_.At[l - 1], layer.n_in, count);
        }
    }

    // A[L] from the output layer's Z, for a prediction.
    void finish(T *base, long count) const {
        const DenseLayer &last = net_.layers[net_.count - 1];
        T *A = base + ws_.A[net_.count];
        if (last.activation == softmax) {
            for (long e = 0; e < count; e += S::lanes)
                Out::softmax_columns(A + e, last.n_out, ws_.ld);
        } else {
            Act::apply(last.activation, A, nullptr, last.n_out * ws_.ld, T(last.parameter));
        }
    }

  private:
    // Aᵀ of a hidden layer, in chunks of columns.
    void turn(const T *A, T *At, long n, long count) const {
        for (long k = 0; k < n; k += S::lanes) {
            const long features = smaller(S::lanes, n - k);
            T *to = At + (k / chunk) * ws_.ld * chunk + k % chunk;
            for (long e = 0; e < count; e += S::lanes) {
                V x[S::lanes];
                for (int j = 0; j < S::lanes; ++j) {
                    x[j] = j < features ? S::load(A + (k + j) * ws_.ld + e) : V{};
                }
                Transpose<T, BYTES>::block(x);
                for (int i = 0; i < S::lanes; ++i)
                    S::store(to + (e + i) * chunk, x[i]);
            }
        }
    }

    static void use_packed(Product<T> &product, const T *packed) {
        if (!packed) return;
        product.A = packed;
        product.row_stride = 1;
        product.column_stride = product.interleaved = W::interleaved;
    }

    const Network &net_;
    const T *theta_;
    const Examples<T> &examples_;
    const W &ws_;
    const bool training_;
};

} // namespace chainrule::CHAINRULE_ISA
