/**
 * Objects that applications hold, take apart, wrap, copy and freeze (SPEC S6).
 *
 * A method works when it is taken off its object or copied with it, and when the object is reached through a Proxy, such
 * as the reactive state of a framework: it is bound to the object itself, so that nothing inside is ever reached through
 * a wrapper.
 */

const INSIDE = /^(_|constructor$|toJSON$)/; // `toJSON` would speak for a copy, too

/**
 * Bind what the object's classes give it; it may still be replaced. Hide from what lists, copies, watches or writes an
 * object all that is not `shown`: if nothing is said, what has a `_` in front; that is not bound either.
 */
export function own(object: object, shown?: readonly string[]): void {
  const define = (name: string, property: PropertyDescriptor): void => {
    property.enumerable = shown ? shown.includes(name) : !INSIDE.test(name);
    Object.defineProperty(object, name, property);
  };
  for (const name of Object.keys(object)) define(name, {});
  let kind = object;
  while ((kind = Object.getPrototypeOf(kind) as object) !== Object.prototype) {
    for (const [name, property] of Object.entries(Object.getOwnPropertyDescriptors(kind))) {
      if (INSIDE.test(name)) continue;
      const part = property.get ? "get" : "value";
      property[part] = (property[part] as () => unknown).bind(object);
      define(name, property);
    }
  }
}
