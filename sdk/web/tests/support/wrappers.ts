/** What applications wrap objects in: the reactive state of a framework, or a Proxy of their own. */
import { reactive } from "@vue/reactivity";

/** Gives back an object of which everything is reached through a Proxy, however deep. */
function proxied<T extends object>(target: T): T {
  return new Proxy(target, {
    get(inside, name, receiver) {
      const value: unknown = Reflect.get(inside, name, receiver);
      const isOpen = value === Object(value) && !(value instanceof Promise);
      return isOpen ? proxied(value as object) : value;
    },
  });
}

/** By name: what makes an object reached through a wrapper, and so all that it holds. */
export const WRAPPERS: readonly (readonly [string, <T extends object>(target: T) => T])[] = [
  ["the reactive state of Vue 3", <T extends object>(target: T): T => reactive(target) as T],
  ["a Proxy that wraps all that it gives, functions too", proxied],
];

/** The texts and numbers that an application finds by going through all that an object lists. */
export function listed(value: unknown, depth = 0): unknown[] {
  if (depth > 5) throw new Error("it goes on and on");
  if (value !== Object(value)) return [value];
  return Object.values(value as object).flatMap((part) => listed(part, depth + 1));
}

/** Freeze an object and all that can be reached from it, whether it is listed or not. */
export function freezeAll(object: object): void {
  if (Object.isFrozen(object)) return;
  Object.freeze(object);
  for (const property of Object.values(Object.getOwnPropertyDescriptors(object))) {
    const value: unknown = property.get ? property.get() : property.value;
    if (value === Object(value)) freezeAll(value as object);
  }
}
