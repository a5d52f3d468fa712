/**
 * Objects that applications hold, take apart and wrap (SPEC S6).
 *
 * A method works when it is taken off its object, and when the object is reached through a Proxy, such as the reactive
 * state of a framework: it is bound to the object itself, so that nothing inside is ever reached through a wrapper.
 */

/**
 * Bind what the object's classes give it; it may still be replaced. Hide from what lists, copies, watches or writes an
 * object all properties but those that are `shown`: if nothing is said, those that have no `_` in front.
 */
export function own(object: object, shown?: readonly string[]): void {
  for (const name of Object.keys(object)) {
    if (shown ? shown.includes(name) : !name.startsWith("_")) continue;
    Object.defineProperty(object, name, { enumerable: false });
  }
  let kind = object;
  while ((kind = Object.getPrototypeOf(kind) as object) !== Object.prototype) {
    for (const [name, property] of Object.entries(Object.getOwnPropertyDescriptors(kind))) {
      if (name === "constructor") continue;
      if (property.get) property.get = property.get.bind(object);
      else property.value = (property.value as () => unknown).bind(object);
      Object.defineProperty(object, name, property);
    }
  }
}
