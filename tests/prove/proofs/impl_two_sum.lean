namespace TwoSum

/-- First position of a value. -/
def position (v : Int) : List Int → Option Nat
  | [] => none
  | x :: rest => if x = v then some 0 else (position v rest).map (· + 1)

/-- Two positions `i < j` whose values add up to `target`, if any. -/
def twoSum (xs : List Int) (target : Int) : Option (Nat × Nat) :=
  match xs with
  | [] => none
  | x :: rest =>
    match position (target - x) rest with
    | some j => some (0, j + 1)
    | none => (twoSum rest target).map fun p => (p.1 + 1, p.2 + 1)

theorem position_some {v : Int} {xs : List Int} {j : Nat} (h : position v xs = some j) :
    xs[j]? = some v := by
  induction xs generalizing j with
  | nil => cases h
  | cons x rest ih =>
    by_cases hx : x = v
    · simp [position, hx] at h
      subst h
      simp [hx]
    · simp [position, hx] at h
      obtain ⟨k, hk, rfl⟩ := h
      simpa using ih hk

theorem position_none {v : Int} {xs : List Int} (h : position v xs = none) (j : Nat) :
    xs[j]? ≠ some v := by
  induction xs generalizing j with
  | nil => simp
  | cons x rest ih =>
    by_cases hx : x = v
    · simp [position, hx] at h
    · simp [position, hx] at h
      cases j with
      | zero => simpa using hx
      | succ j => simpa using ih h j

theorem twoSum_sound (xs : List Int) (target : Int) (i j : Nat)
    (h : twoSum xs target = some (i, j)) :
    i < j ∧ ∃ x y, xs[i]? = some x ∧ xs[j]? = some y ∧ x + y = target := by
  induction xs generalizing i j with
  | nil => cases h
  | cons x rest ih =>
    cases hp : position (target - x) rest with
    | some k =>
      simp [twoSum, hp] at h
      obtain ⟨rfl, rfl⟩ := h
      exact ⟨by omega, x, target - x, by simp, by simpa using position_some hp, by omega⟩
    | none =>
      simp [twoSum, hp] at h
      obtain ⟨a, b, hab, rfl, rfl⟩ := h
      obtain ⟨hlt, y, z, hy, hz, e⟩ := ih a b hab
      exact ⟨by omega, y, z, by simpa using hy, by simpa using hz, e⟩

theorem twoSum_complete (xs : List Int) (target : Int) (h : twoSum xs target = none) :
    ∀ (i j : Nat) (x y : Int), i < j → xs[i]? = some x → xs[j]? = some y → x + y ≠ target := by
  induction xs with
  | nil =>
    intro i j x y _ hx
    simp at hx
  | cons w rest ih =>
    cases hp : position (target - w) rest with
    | some k => simp [twoSum, hp] at h
    | none =>
      simp [twoSum, hp] at h
      intro i j x y hij hx hy e
      cases j with
      | zero => omega
      | succ j =>
        rw [List.getElem?_cons_succ] at hy
        cases i with
        | zero =>
          rw [List.getElem?_cons_zero] at hx
          cases hx
          have hv : target - w = y := by omega
          rw [hv] at hp
          exact position_none hp j hy
        | succ i =>
          rw [List.getElem?_cons_succ] at hx
          exact ih h i j x y (by omega) hx hy e

end TwoSum
