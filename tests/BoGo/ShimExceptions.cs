namespace KTls.BoGo;

/// <summary>The runner asks for something that KTls, or this shim, does not have.</summary>
internal sealed class UnimplementedException(string message) : Exception(message);

/// <summary>The connection was not as the runner expects it, or ended in a way that the shim says itself.</summary>
internal sealed class ShimException(string message) : Exception(message);
