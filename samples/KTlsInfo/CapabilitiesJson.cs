using System.Text.Json.Serialization;

namespace KTls.Samples.Info;

[JsonSourceGenerationOptions(WriteIndented = true, UseStringEnumConverter = true, PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase)]
[JsonSerializable(typeof(KernelTlsCapabilities))]
internal sealed partial class CapabilitiesJson : JsonSerializerContext;
