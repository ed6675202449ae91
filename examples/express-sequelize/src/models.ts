import {
  type CreationOptional,
  DataTypes,
  type InferAttributes,
  type InferCreationAttributes,
  Model,
  type NonAttribute,
  type Sequelize,
} from 'sequelize';

export class Part extends Model<InferAttributes<Part>, InferCreationAttributes<Part>> {
  declare id: CreationOptional<number>;
  declare name: string;
  declare cents: number;
  declare stock: number;
}

export class Order extends Model<InferAttributes<Order>, InferCreationAttributes<Order>> {
  declare id: CreationOptional<number>;
  declare customer: string;
  declare deletedAt: CreationOptional<Date | null>;
  declare lines?: NonAttribute<OrderLine[]>;
  declare setLabels: (names: readonly string[]) => Promise<void>;
}

export class OrderLine extends Model<InferAttributes<OrderLine>, InferCreationAttributes<OrderLine>> {
  declare id: CreationOptional<number>;
  declare orderId: CreationOptional<number>;
  declare partId: number;
  declare quantity: number;
}

export class Label extends Model<InferAttributes<Label>, InferCreationAttributes<Label>> {
  declare name: string;
}

export class Supplier extends Model<InferAttributes<Supplier>, InferCreationAttributes<Supplier>> {
  declare code: string;
  declare name: string;
  /** Masked by its name. */
  declare apiKey: string;
}

export function defineModels(sequelize: Sequelize): void {
  const { INTEGER, STRING, DATE } = DataTypes;
  const id = { type: INTEGER, primaryKey: true, autoIncrement: true };
  const plain = { sequelize, timestamps: false };
  Part.init(
    {
      id,
      name: { type: STRING, allowNull: false },
      cents: { type: INTEGER, allowNull: false },
      stock: { type: INTEGER, allowNull: false },
    },
    plain,
  );
  // Paranoid: what is destroyed stays, and can be restored.
  Order.init(
    { id, customer: { type: STRING, allowNull: false }, deletedAt: DATE },
    { sequelize, paranoid: true, createdAt: false, updatedAt: false },
  );
  OrderLine.init(
    { id, orderId: INTEGER, partId: INTEGER, quantity: { type: INTEGER, allowNull: false } },
    plain,
  );
  Label.init({ name: { type: STRING, primaryKey: true } }, plain);
  Supplier.init({ code: { type: STRING, primaryKey: true }, name: STRING, apiKey: STRING }, plain);

  Order.hasMany(OrderLine, { as: 'lines', foreignKey: 'orderId', onDelete: 'CASCADE' });
  OrderLine.belongsTo(Part, { foreignKey: 'partId', onDelete: 'RESTRICT' });
  Order.belongsToMany(Label, {
    as: 'labels',
    through: 'OrderLabel',
    foreignKey: 'orderId',
    timestamps: false,
  });
}
