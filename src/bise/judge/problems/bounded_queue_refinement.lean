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

theorem enqueue_none {α : Type} (x : α) (r : Ring α) (ok : Ok r) :
    enqueue x r = none ↔ (toList r).length = r.capacity := sorry

theorem enqueue_some {α : Type} (x : α) (r s : Ring α) (ok : Ok r) (h : enqueue x r = some s) :
    Ok s ∧ s.capacity = r.capacity ∧ toList s = toList r ++ [x] := sorry

theorem dequeue_none {α : Type} (r : Ring α) : dequeue r = none ↔ toList r = [] := sorry

theorem dequeue_some {α : Type} (r s : Ring α) (x : α) (ok : Ok r) (h : dequeue r = some (x, s)) :
    Ok s ∧ s.capacity = r.capacity ∧ toList r = x :: toList s := sorry

end RingQueue
