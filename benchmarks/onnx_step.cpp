// An exported codec, frame by frame, with ONNX Runtime's C++ interface.
//
//   g++ -O2 -std=c++17 onnx_step.cpp -lonnxruntime -o onnx_step
//   minicodec export-onnx -o .
//   ./onnx_step < speech.raw > heard.raw         24 kHz, float32
#include <onnxruntime_cxx_api.h>

#include <algorithm>
#include <cstdio>
#include <string>
#include <vector>

struct Step {  // the encoder or the decoder, and one stream's states
  Ort::Session session;
  std::vector<std::string> in, out;
  std::vector<Ort::Value> values;  // what goes in

  Step(Ort::Env& env, const char* file, const Ort::SessionOptions& options)
      : session(env, file, options), values(1) {
    Ort::AllocatorWithDefaultOptions allocator;
    for (size_t i = 0; i < session.GetInputCount(); i++) {
      in.push_back(session.GetInputNameAllocated(i, allocator).get());
      out.push_back(session.GetOutputNameAllocated(i, allocator).get());
      if (i == 0) continue;  // sound or codes; behind them come the states
      auto info = session.GetInputTypeInfo(i);
      auto shape = info.GetTensorTypeAndShapeInfo().GetShape();
      auto zeros = Ort::Value::CreateTensor<float>(allocator, shape.data(), shape.size());
      size_t size = zeros.GetTensorTypeAndShapeInfo().GetElementCount();
      std::fill_n(zeros.GetTensorMutableData<float>(), size, 0.0f);
      values.push_back(std::move(zeros));
    }
  }

  Ort::Value operator()(Ort::Value x) {
    std::vector<const char*> from, to;
    for (auto& name : in) from.push_back(name.c_str());
    for (auto& name : out) to.push_back(name.c_str());
    values[0] = std::move(x);
    values = session.Run({}, from.data(), values.data(), from.size(),
                         to.data(), to.size());
    return std::move(values[0]);  // the others are the states of the next call
  }
};

int main() {
  Ort::Env env;
  Ort::SessionOptions one;
  one.SetIntraOpNumThreads(1);  // a frame is too little work to share
  Step encoder(env, "mini_24khz_encoder.onnx", one);
  Step decoder(env, "mini_24khz_decoder.onnx", one);
  auto memory = Ort::MemoryInfo::CreateCpu(OrtArenaAllocator, OrtMemTypeDefault);
  const int64_t shape[] = {1, 1, 320};  // one frame, 13.3 ms
  float frame[320];
  while (fread(frame, sizeof *frame, 320, stdin) == 320) {
    auto codes = encoder(Ort::Value::CreateTensor<float>(memory, frame, 320, shape, 3));
    auto audio = decoder(std::move(codes));  // int32 [1, 16, 1], all levels: 12 kbps
    fwrite(audio.GetTensorData<float>(), sizeof(float), 320, stdout);
  }
}
