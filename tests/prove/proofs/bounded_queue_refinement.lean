namespace RingQueue

structure Ring (α : Type) where
  capacity : Nat
  head : Nat
  count : Nat
  cells : Nat → α

def Ok {α : Type} (r : Ring α) : Prop := r.head < r.capacity ∧ r.count ≤ r.capacity

def enqueue {α : Type} (x : α) (r : Ring α) : Option (Ring α) :=
  if r.count < r.capacity then
    some { r with
      count := r.count + 1
      cells := fun i => if i = (r.head + r.count) % r.capacity then x else r.cells i }
  else none

def dequeue {α : Type} (r : Ring α) : Option (α × Ring α) :=
  if 0 < r.count then
    some (r.cells r.head, { r with head := (r.head + 1) % r.capacity, count := r.count - 1 })
  else none

def toList {α : Type} (r : Ring α) : List α :=
  (List.range r.count).map (fun i => r.cells ((r.head + i) % r.capacity))

theorem places_differ {c h i n : Nat} (hh : h < c) (hn : n < c) (hi : i < n) :
    (h + i) % c ≠ (h + n) % c := by
  have small : ∀ k, k < c → (h + k) % c = if h + k < c then h + k else h + k - c := by
    intro k hk
    split
    · exact Nat.mod_eq_of_lt (by assumption)
    · rw [Nat.mod_eq_sub_mod (by omega), Nat.mod_eq_of_lt (by omega)]
  rw [small i (by omega), small n hn]
  split <;> split <;> omega

theorem enqueue_none {α : Type} (x : α) (r : Ring α) (ok : Ok r) :
    enqueue x r = none ↔ (toList r).length = r.capacity := by
  obtain ⟨_, h⟩ := ok
  simp only [enqueue, toList, List.length_map, List.length_range]
  split
  · simp
    omega
  · simp
    omega

theorem enqueue_some {α : Type} (x : α) (r s : Ring α) (ok : Ok r) (h : enqueue x r = some s) :
    Ok s ∧ s.capacity = r.capacity ∧ toList s = toList r ++ [x] := by
  obtain ⟨h1, h2⟩ := ok
  unfold enqueue at h
  split at h
  · rename_i room
    cases h
    refine ⟨⟨h1, room⟩, rfl, ?_⟩
    simp only [toList, List.range_succ, List.map_append, List.map_cons, List.map_nil, if_true]
    congr 1
    apply List.map_congr_left
    intro i hi
    exact if_neg (places_differ h1 room (List.mem_range.mp hi))
  · cases h

theorem dequeue_none {α : Type} (r : Ring α) : dequeue r = none ↔ toList r = [] := by
  unfold dequeue toList
  cases h : r.count <;> simp

theorem dequeue_some {α : Type} (r s : Ring α) (x : α) (ok : Ok r) (h : dequeue r = some (x, s)) :
    Ok s ∧ s.capacity = r.capacity ∧ toList r = x :: toList s := by
  obtain ⟨h1, h2⟩ := ok
  obtain ⟨capacity, head, count, cells⟩ := r
  simp only at h1 h2
  cases count with
  | zero => simp [dequeue] at h
  | succ n =>
    simp only [dequeue, Nat.zero_lt_succ, if_true] at h
    cases h
    refine ⟨⟨Nat.mod_lt _ (by omega), by simp only; omega⟩, rfl, ?_⟩
    simp only [toList, List.range_succ_eq_map, List.map_cons, List.map_map, Nat.add_zero,
      Nat.mod_eq_of_lt h1, Nat.add_sub_cancel]
    congr 1
    apply List.map_congr_left
    intro i _
    simp only [Function.comp, Nat.mod_add_mod]
    congr 2
    omega

end RingQueue
