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

Result run(int threads, long m, long batch, int n_in, int hidden, int n_out) {
    const DenseLayer layers[] = {{n_in, hidden, tanh_, 0.0, 0, long(n_in) * hidden},
                                 {hidden, n_out, softmax, 0.0, long(n_in) * hidden + hidden,
                                  long(n_in) * hidden + hidden + long(hidden) * n_out}};
    const Network net{2, layers, cross_entropy, true};
    const long count = layers[1].b + n_out, steps = (m + batch - 1) / batch * 2;
    unsigned state = 1;
    Result result;
    result.parameters.resize(count);
    for (float &x : result.parameters)
        x = 0.1f * next(state);
    std::vector<float> X(m * n_in), Y(m * n_out, 0.0f), slots(2 * count, 0.0f);
    for (float &x : X)
        x = next(state);
    for (long i = 0; i < m; ++i)
        Y[i * n_out + i % n_out] = 1.0f;
    std::vector<std::int64_t> order(2 * m);
    for (long i = 0; i < 2 * m; ++i)
        order[i] = (i * 7919) % m;
    const Examples<float> examples{X.data(), Y.data(), nullptr, order.data(), m, m, 2};
    const std::vector<double> rates(steps, 1e-3);
    const Update<float> update{
        adam, 0.9, 0.999, 1e-8, {slots.data(), slots.data() + count}, 0, rates.data(), 1e-4, 1e-4};
    const Control control{threads, nullptr, nullptr};
    result.costs.resize(2 * steps);
    kernels<float>().train(net, result.parameters.data(), examples, batch, update,
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
        const Result alone = run(1, c.m, c.batch, c.n_in, c.hidden, c.n_out);
        for (int threads = 2; threads <= 4; ++threads) {
            const bool same = run(threads, c.m, c.batch, c.n_in, c.hidden, c.n_out) == alone;
            std::printf("%ld examples, batch %ld, %d threads: %s\n", c.m, c.batch, threads,
                        same ? "the same bits" : "OTHER BITS");
            failed += !same;
        }
    }
    return failed != 0;
}
