// The thread team without Python, for the thread sanitizer: training, loss and forward passes with
// 1 to 4 threads must give the same bits, and no two threads may touch the same memory unordered.

#include <cstdio>
#include <cstring>
#include <vector>

#include "../../native/dispatch.hpp"
#include "../../native/team.hpp"

using namespace chainrule;

namespace {

// Numbers in [-1, 1) that need no library: their quality does not matter here.
float next(unsigned &state) {
    state = state * 1664525u + 1013904223u;
    return float(state >> 8) / float(1 << 23) - 1.0f;
}

struct Result {
    std::vector<float> parameters, outputs;
    std::vector<double> costs;
    bool operator==(const Result &) const = default;
};

// Tables of several groups of rows, and of one.
const Lookup tables[2] = {{1, 5000, 8}, {0, 3, 2}};

Result run(int threads, bool mixed, bool normalized, bool embedded, long m, long batch, int n_in,
           int hidden, int n_out) {
    const long first = embedded ? 5000 * 8 + 3 * 2 : 0;
    const int below = embedded ? n_in + 8 : n_in;
    const long second = first + long(below) * hidden + hidden;
    const long third = normalized ? second + 4l * hidden : second;
    std::vector<Layer> layers{{dense, below, hidden, tanh_, 0.0, first},
                              {dropout, hidden, hidden, identity, 0.3, second},
                              {dense, hidden, n_out, softmax, 0.0, third}};
    if (normalized)
        layers.insert(layers.begin() + 1,
                      {batch_norm, hidden, hidden, relu, 0.0, second, 0.9, 1e-5});
    if (embedded) {
        Layer layer{category_embedding, n_in, below, identity, 0.0, 0};
        layer.lookups = 2;
        layer.lookup = tables;
        layers.insert(layers.begin(), layer);
    }
    const long count = third + long(hidden) * n_out + n_out;
    const Network net{int(layers.size()), layers.data(), cross_entropy, true, 0.0, count};
    const long steps = (m + batch - 1) / batch * 2;
    unsigned state = 1;
    Result result;
    result.parameters.resize(count);
    for (float &x : result.parameters)
        x = 0.1f * next(state);
    for (long i = second; i < third; ++i)
        result.parameters[i] = 1.0f;
    std::vector<float> X(m * n_in), slots(2 * count, 0.0f);
    for (float &x : X)
        x = next(state);
    for (long i = 0; embedded && i < m; ++i) {
        for (const Lookup &table : tables)
            X[i * n_in + table.column] = float((i * 7919) % table.codes);
    }
    std::vector<std::int32_t> classes(m), order(2 * m);
    for (long i = 0; i < m; ++i)
        classes[i] = std::int32_t(i % n_out);
    for (long i = 0; i < 2 * m; ++i)
        order[i] = std::int32_t((i * 7919) % m);
    const Examples<float> examples{X.data(), nullptr, classes.data(), nullptr, order.data(), m,
                                   m,        2};
    const std::vector<double> rates(steps, 1e-3);
    Update<float> update{adam, 0.9,          0.999, 1e-8, {slots.data(), slots.data() + count},
                         0,    rates.data(), 1e-4,  1e-4};
    update.max_norm = mixed ? 0.0 : 0.1;
    update.key = 7;
    const Control control{threads, nullptr, nullptr};
    result.costs.resize(2 * steps);
    kernels<float>(mixed).train(net, result.parameters.data(), examples, batch, update,
                                result.costs.data(), result.costs.data() + steps, control);
    result.outputs.resize(m * n_out);
    kernels<float>().forward(net, result.parameters.data(), X.data(), m, result.outputs.data(),
                             control);
    return result;
}

} // namespace

int main() {
    int failed = 0;
    const struct {
        long m, batch;
        int n_in, hidden, n_out;
    } cases[] = {{1000, 256, 70, 130, 5}, {300, 64, 200, 200, 3}, {20000, 20000, 300, 40, 2}};
    for (const auto &c : cases) {
        for (int kind = 0; kind < 8; ++kind) {
            const bool mixed = kind & 1, normalized = kind & 2, embedded = kind & 4;
            if (mixed && !has_mixed()) continue;
            const auto trained = [&](int threads) {
                return run(threads, mixed, normalized, embedded, c.m, c.batch, c.n_in, c.hidden,
                           c.n_out);
            };
            const Result alone = trained(1);
            for (int threads = 2; threads <= 4; ++threads) {
                const Result other = trained(threads);
                std::printf("%ld examples, batch %ld%s%s%s, %d threads: %s\n", c.m, c.batch,
                            mixed ? ", mixed" : "", normalized ? ", normalized" : "",
                            embedded ? ", embedded" : "", threads,
                            other == alone ? "the same bits" : "OTHER BITS");
                failed += !(other == alone);
            }
        }
    }
    return failed != 0;
}
