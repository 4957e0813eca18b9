// Whose turn it is: the one backend belongs to one connection, from its first message until no transaction is open.

export class Turns {
  #owner = null
  #waiting = []
  #patienceMs

  constructor(patienceMs) {
    this.#patienceMs = patienceMs
  }

  /** Wait for the turn; resolves to false if it did not come in time. */
  async take(who) {
    if (this.#owner === who) return true
    if (this.#owner === null) {
      this.#owner = who
      return true
    }
    return new Promise((resolve) => {
      const place = { who, resolve }
      place.timer = setTimeout(() => {
        this.#waiting.splice(this.#waiting.indexOf(place), 1)
        resolve(false)
      }, this.#patienceMs)
      this.#waiting.push(place)
    })
  }

  /** Pass the turn on, if `who` has it. */
  pass(who) {
    if (this.#owner !== who) return
    const next = this.#waiting.shift()
    this.#owner = next?.who ?? null
    clearTimeout(next?.timer)
    next?.resolve(true)
  }

  /** Leave the queue without having had the turn. */
  leave(who) {
    const at = this.#waiting.findIndex((place) => place.who === who)
    if (at < 0) return
    const [place] = this.#waiting.splice(at, 1)
    clearTimeout(place.timer)
    place.resolve(false)
  }

  has(who) {
    return this.#owner === who
  }
}
